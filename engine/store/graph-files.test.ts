// Saved graphs: nobody's work is overwritten unseen, nothing is left out without a word.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { GraphFiles } from "./graph-files.ts";

let dir: string;
let graphs: GraphFiles;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "graphs-"));
  graphs = new GraphFiles(dir);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("of many saves on one revision at the same instant one counts, and every other is told", async () => {
  const { revision } = await graphs.save("g", "{}", null);
  const all = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => graphs.save("g", `{"by":${i}}`, revision)));
  const saved = all.flatMap((r) => (r.status === "fulfilled" ? [r.value.text] : []));
  const codes = all.flatMap((r) => (r.status === "rejected" ? [r.reason.code] : []));
  expect([saved.length, new Set(codes)]).toEqual([1, new Set(["GRAPH_CHANGED"])]);
  expect(readFileSync(join(dir, "g.json"), "utf8")).toBe(saved[0]);
});

test("of many that want a new name at the same instant one gets it", async () => {
  const all = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => graphs.save("new", `{"by":${i}}`, null)));
  expect(all.filter((r) => r.status === "fulfilled").length).toBe(1);
});

test("a save that fails does not hold up the next", async () => {
  await expect(graphs.save("../x", "{}", null)).rejects.toMatchObject({ code: "PATH_UNSAFE" });
  expect(await graphs.save("g", "{}", null)).toMatchObject({ name: "g" });
});

test("what is there and can't be read is listed with the reason, and not replaced by a new graph of its name", async () => {
  await graphs.save("good", "{}", null);
  mkdirSync(join(dir, "folder.json"));
  writeFileSync(join(dir, "large.json"), new Uint8Array(16 * 2 ** 20 + 1));
  const list = await graphs.list();
  expect(list.map((g) => [g.name, "problem" in g ? g.problem : ""])).toEqual([
    ["folder", expect.stringMatching(/not a regular file/)],
    ["good", ""],
    ["large", expect.stringMatching(/16777216 are allowed/)],
  ]);
  await expect(graphs.save("folder", "{}", null)).rejects.toMatchObject({ code: "STORE_IO" });
});

test("a folder that is not there has no graphs; one that can't be read is an error", async () => {
  expect(await new GraphFiles(join(dir, "none")).list()).toEqual([]);
  writeFileSync(join(dir, "file"), "");
  await expect(new GraphFiles(join(dir, "file")).list()).rejects.toMatchObject({ code: "STORE_IO" });
});
