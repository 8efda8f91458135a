// What every file of browser tests stands on: a server and a browser for the file, a fresh page for each test.
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { Editor, type OpenBrowser, openBrowser, startServer, type TestServer } from "./harness.ts";

export let server: TestServer;
export let browser: OpenBrowser;
export let editor: Editor;

beforeAll(async () => {
  server = await startServer();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});
beforeEach(async () => {
  editor = await Editor.open(await browser.context(), server.url);
});
afterEach(async () => {
  expect(server.died()).toBeUndefined();
  expect(editor.errors).toEqual([]);
  await editor.page.context().close();
});
