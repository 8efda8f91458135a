import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { preferenceList } from "../api/preferences.ts";
import { PreferenceFile } from "./preference-file.ts";

let dir = "";
let path = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "preferences-"));
  path = join(dir, "preferences.jsonl");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("two that have the file open lose nothing of each other", async () => {
  const [first, second] = [await PreferenceFile.open(path), await PreferenceFile.open(path)];
  expect(await first.add({ image_win: "a", image_lose: "b" })).toBe(true);
  expect(await second.add({ image_win: "c", image_lose: "d" })).toBe(true);
  expect(await second.add({ image_win: "b", image_lose: "a" })).toBe(false);
  expect(await first.remove("d", "c")).toBe(true);
  expect((await PreferenceFile.open(path)).comparisons).toEqual([{ image_win: "a", image_lose: "b" }]);
});

test("what is no text, or no file, is refused and stays as it is", async () => {
  const bytes = Buffer.concat([Buffer.from('{"image_win":"a","image_lose":"'), Buffer.from([0xff]), Buffer.from('"}\n')]);
  writeFileSync(path, bytes);
  await expect(PreferenceFile.open(path)).rejects.toMatchObject({ code: "PREFERENCES", message: expect.stringContaining("UTF-8") });
  expect(readFileSync(path)).toEqual(bytes);
  mkdirSync(join(dir, "folder"));
  await expect(PreferenceFile.open(join(dir, "folder"))).rejects.toMatchObject({ code: "PREFERENCES" });
});

test("a line of a person's own may be longer than what the editor writes, and the list is still told", async () => {
  writeFileSync(path, `${JSON.stringify({ image_win: "a", image_lose: "b", source: "s".repeat(300), by: "hand" })}\n`);
  const file = await PreferenceFile.open(path);
  expect(preferenceList.safeParse({ manifest: "", comparisons: file.comparisons }).success).toBe(true);
  await file.add({ image_win: "a", image_lose: "c" });
  expect(readFileSync(path, "utf8")).toContain('"by":"hand"');
});
