// What a run leaves is read again: show, run of a run.json, export; and frames.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";

const ROOT = join(import.meta.dirname, "..", "..");
let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "records-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function graph(...args: string[]) {
  const env = { ...process.env, WHOSWHO_DATA: join(dir, "data"), WHOSWHO_MODELS: "", NODE_COMPILE_CACHE: join(ROOT, ".cache/compile") };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "graph.mjs"), ...args], { cwd: dir, encoding: "utf8", env });
  return { status, stdout, stderr };
}

const SHOW = {
  1: { class_type: "PrimitiveInt", inputs: { value: 5 } },
  2: { class_type: "PreviewAny", inputs: { source: ["1", 0] }, _meta: { title: "Show it" } },
};
const scoresOf = (path: string) => z.looseObject({ scores: z.unknown() }).parse(JSON.parse(readFileSync(path, "utf8"))).scores;

test("show says what a run was made with, with every --set; run of its run.json makes it again", () => {
  writeFileSync(join(dir, "w.json"), JSON.stringify(SHOW));
  expect(graph("run", "w.json", "--set", "PrimitiveInt.value=42").status).toBe(0);
  const record = join(dir, "out", "w", "run.json");
  const shown = graph("show", record);
  expect([shown.status, shown.stdout]).toEqual([
    0,
    expect.stringMatching(/^a run\n[\s\S]*1 PrimitiveInt: value 42\n2 PreviewAny: source \["1",0\]/),
  ]);
  const made = z.looseObject({ kind: z.string(), graph: z.unknown() }).parse(JSON.parse(graph("show", record, "--json").stdout));
  expect(made).toMatchObject({ kind: "run", graph: { 1: { inputs: { value: 42 } } } });
  const again = graph("run", record, "--out", "again");
  expect([again.status, again.stdout]).toEqual([0, expect.stringMatching(/42/)]);
  expect(scoresOf(join(dir, "again", "run.json"))).toEqual(scoresOf(record));
  expect(graph("show", "gone.json")).toMatchObject({ status: 1, stderr: expect.stringMatching(/USAGE_FILE/) });
});

test("export says what there is; frames says what it needs", () => {
  mkdirSync(join(dir, "out"));
  expect(graph("export", "out")).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/EXPORT_FOLDER: .* holds no training/),
  });
  expect(graph("export", "out", "--ema", "--raw")).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/exclude each other/),
  });
  expect(graph("export", "out", "--format", "pickle")).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/choose all, comfyui/),
  });
  expect(graph("frames", "out", "--out", "frames")).toMatchObject({ status: 1, stderr: expect.stringMatching(/holds no video/) });
});
