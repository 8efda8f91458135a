import { expect, test } from "vitest";
import { scoreRows, settingRows } from "./run-differences.ts";

const score = (node: string, name: string, value: unknown) => ({ node, type: "T", title: `Node ${node}`, name, value });
const parameter = (node: string, input: string, value: unknown) => ({ node, type: "T", title: `Node ${node}`, input, value });

test("numbers with their change; what only one run has, has none; tables are no numbers", () => {
  const before = { scores: [score("1", "sir", 0.5), score("2", "pairs", [1]), score("3", "gone", 1)] };
  const after = { scores: [score("1", "sir", 0.75), score("4", "new", 2)] };
  expect(scoreRows(before, after)).toEqual([
    { name: "sir", before: 0.5, after: 0.75, change: 0.25 },
    { name: "new", before: undefined, after: 2, change: undefined },
    { name: "gone", before: 1, after: undefined, change: undefined },
  ]);
});

test("a name that two nodes use carries the node's title", () => {
  const run = { scores: [score("1", "sir", 1), score("2", "sir", 2)] };
  expect(scoreRows(run, run).map((r) => r.name)).toEqual(["sir, Node 1", "sir, Node 2"]);
});

test("settings that differ, 64-bit seeds digit by digit", () => {
  const before = { parameters: [parameter("1", "steps", 16), parameter("1", "seed", 2n ** 63n), parameter("2", "image", "a.png")] };
  const after = { parameters: [parameter("1", "steps", 20), parameter("1", "seed", 2n ** 63n), parameter("3", "mode", "sft")] };
  expect(settingRows(before, after)).toEqual([
    { title: "Node 1", input: "steps", before: "16", after: "20" },
    { title: "Node 3", input: "mode", before: undefined, after: "sft" },
    { title: "Node 2", input: "image", before: "a.png", after: undefined },
  ]);
});
