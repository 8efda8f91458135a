import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { parsePreferences } from "../../nodes/realism/preference-manifest.ts";
import { prefer } from "./prefer.ts";

vi.spyOn(console, "log").mockImplementation(() => undefined);
const program = { root: "", nodes: async () => [], worker: new URL("file:///"), runtimeInfo: async () => ({ version: "", backends: [] }) };
let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "prefer-"));
  for (const [run, names] of [
    ["before", ["a.png", "deep/b.png", "only.png", "temp/p.png"]],
    ["after", ["a.png", "deep/b.png", "temp/p.png", "run.json"]],
  ] as const)
    for (const name of names) {
      mkdirSync(join(root, run, name, ".."), { recursive: true });
      writeFileSync(join(root, run, name), run);
    }
});
const written = () => parsePreferences(readFileSync(join(root, "preferences.jsonl"), "utf8"));

test("one run preferred everywhere: pictures of equal name, in the form that PreferenceDataset reads; again adds nothing", async () => {
  expect(await prefer([root, "--all", "first"], program)).toBe(0);
  const { entries, issues } = written();
  expect(issues).toEqual([]);
  expect(entries.map(({ image_win, image_lose, source }) => [image_win, image_lose, source])).toEqual([
    ["after/a.png", "before/a.png", "a.png"],
    ["after/deep/b.png", "before/deep/b.png", "deep/b.png"],
  ]);
  await prefer([join(root, "before"), join(root, "after"), "--all", "first"], program);
  expect(written().entries).toHaveLength(2);
});

test("bad arguments are refused, and a file of something else is not written over", async () => {
  await expect(prefer([join(root, "before")], program)).rejects.toThrow(/holds 2 folders|holds 1 folders|no picture/);
  await expect(prefer([root, "--all", "third"], program)).rejects.toThrow(/first or second/);
  await expect(prefer([root, "--all", "first", "--out", join(root, "before/x.jsonl")], program)).rejects.toThrow(/does not lie above/);
  await expect(prefer([root, "--all", "first", "--out", "/absent/x.jsonl"], program)).rejects.toThrow();
  writeFileSync(join(root, "preferences.jsonl"), "a letter\n");
  await expect(prefer([root, "--all", "first"], program)).rejects.toThrow(/no comparison: a letter/);
  expect(readFileSync(join(root, "preferences.jsonl"), "utf8")).toBe("a letter\n");
});
