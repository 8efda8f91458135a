import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SettingsFile } from "./settings-file.ts";

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "settings-"));
  path = join(dir, "settings.json");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("what is written is read; while nothing is, there are defaults", async () => {
  const file = new SettingsFile(path);
  const defaults = await file.read();
  await file.write({ ...defaults, editor: { theme: "dark" } });
  expect(await new SettingsFile(path).read()).toMatchObject({ editor: { theme: "dark" } });
});

test.each(["{", "[]", '{"trackers": 7}'])(
  "damaged settings (%s) are an error that names the file, and are not overwritten",
  async (text) => {
    writeFileSync(path, text);
    const file = new SettingsFile(path);
    await expect(file.read()).rejects.toMatchObject({ code: "SETTINGS_DAMAGED", message: expect.stringContaining(path) });
    await expect(file.write({ editor: {} })).rejects.toMatchObject({ code: "SETTINGS_DAMAGED" });
    expect(readFileSync(path, "utf8")).toBe(text);
  },
);

test("a file that can't be opened is no absent one", async () => {
  await expect(new SettingsFile(join(dir, "settings.json", "x")).read()).resolves.toBeTypeOf("object");
  await expect(new SettingsFile(dir).read()).rejects.toMatchObject({ code: "STORE_IO" });
});
