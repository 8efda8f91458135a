import { expect, test } from "vitest";
import { headline } from "./headline.ts";
import { sampleGrid } from "./sample-grid.ts";
import { settingDifferences } from "./setting-differences.ts";

test("the line over a training says where it is", () => {
  const at = { updates: { done: 34, total: 60 }, secondsLeft: 130, best: { update: 30, value: 0.7123 } };
  expect(headline(at, "running")).toBe("Update 34 of 60, 2 min 10 s left, best held-out reward 0.7123 at update 30");
  expect(headline({ ...at, best: null }, "paused")).toBe("Update 34 of 60, paused");
  expect(headline({ updates: { done: 0, total: 60 }, secondsLeft: null, best: null }, "running")).toBe("The first update is being made");
});

test("one seed is one row, one update one column; what is missing leaves its place empty", () => {
  const file = (filename: string) => ({ filename, subfolder: "", type: "output" as const });
  const grid = sampleGrid([
    { row: 1, kind: "sample", update: 10, file: file("b10") },
    { row: 0, kind: "sample", update: 0, file: file("a0") },
    { row: 0, kind: "sample", update: 10, file: file("a10") },
    { row: 0, kind: "reference", update: null, file: file("r") },
    { row: 1, kind: "target", update: null, file: file("t") },
  ]);
  expect(grid.columns).toEqual(["reference", "target", "before", "update 10"]);
  expect(grid.rows.map((r) => r.cells.map((c) => c?.file.filename))).toEqual([
    ["r", undefined, "a0", "a10"],
    [undefined, "t", undefined, "b10"],
  ]);
});

test("only what differs is listed; a setting that one run lacks is at its default", () => {
  expect(settingDifferences({ rank: 8, seed: 1n, mode: "sft" }, { rank: 16, seed: 1, steps: 4, mode: "sft" })).toEqual([
    { name: "rank", before: "8", after: "16" },
    { name: "steps", before: undefined, after: "4" },
  ]);
});
