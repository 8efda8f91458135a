import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import { expect, test } from "vitest";
import { routes } from "../api/routes.ts";
import { type BytesAnswer, type Handlers, mount } from "./mount.ts";

test("a file that cannot be read on is a fault of the server, and a client that goes away is none", async () => {
  const dir = mkdtempSync(join(tmpdir(), "mount-"));
  writeFileSync(join(dir, "large"), new Uint8Array(2 ** 25));
  const faults: unknown[] = [];
  let path = dir;
  const answer = async (): Promise<BytesAnswer> => ({ headers: {}, content: { file: await open(path), bytes: 2 ** 25 }, etag: '"e"' });
  const app = express();
  mount(app, Object.fromEntries(Object.keys(routes).map((name) => [name, answer])) as unknown as Handlers, (error) => faults.push(error));
  const server = createServer(app);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/api/gallery/x/picture`;
  try {
    await expect(fetch(url).then((response) => response.arrayBuffer())).rejects.toThrow();
    expect(faults).toMatchObject([{ code: "EISDIR" }]);
    path = join(dir, "large");
    const closed = new Promise<void>((done) =>
      server.once("request", (_, response) => {
        response.once("close", done);
      }),
    );
    const response = await fetch(url);
    await response.body?.cancel();
    await closed;
    expect(faults).toHaveLength(1);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    rmSync(dir, { recursive: true });
  }
});
