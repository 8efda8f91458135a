import { expect, test } from "vitest";
import { parseWorkflow, readWorkflow, WORKFLOW_LIMITS } from "./parse-workflow.ts";

const issues = (source: string | Uint8Array) => {
  const result = parseWorkflow(source);
  return result.ok ? [result.workflow.format] : result.issues.map((i) => [i.code, ...i.path].join(" "));
};
const json = (value: unknown): string => JSON.stringify(value);

test("what is not a workflow says why", () => {
  expect(issues("")).toEqual(["JSON_SYNTAX"]);
  expect(issues("[]")).toEqual(["WORKFLOW_FORMAT"]);
  expect(issues("{}")).toEqual(["WORKFLOW_FORMAT"]);
  expect(issues('{"prompt":{}}')).toEqual(["WORKFLOW_FORMAT"]);
  expect(issues(Uint8Array.of(0xff, 0xfe, 0x00))).toEqual(["WORKFLOW_ENCODING"]);
  expect(issues('{"1":{"class_type":"A","inputs":{"__proto__":{}}}}')).toEqual(["JSON_KEY"]);
});

test("all faults of a document at once, with the place of each", () => {
  expect(issues(json({ "1": { class_type: "A" }, "2": { inputs: {} }, "3": 5, "4": { class_type: "A", inputs: [] } }))).toEqual([
    "WORKFLOW_SHAPE 2 class_type",
    "WORKFLOW_SHAPE 3",
    "WORKFLOW_SHAPE 4 inputs",
  ]);
  expect(
    issues(json({ nodes: [{ id: 1, type: "A" }, { type: "B" }, { id: 2, type: "C", inputs: [{ link: {} }] }], links: [[1, 2]] })),
  ).toEqual(["WORKFLOW_SHAPE nodes 1 id", "WORKFLOW_SHAPE nodes 2 inputs 0 link", "WORKFLOW_SHAPE links 0"]);
});

test("formats are recognised; a byte-order mark and Python's NaN are tolerated", () => {
  expect(issues('\ufeff{"1":{"class_type":"A","inputs":{},"is_changed":[NaN]}}')).toEqual(["api"]);
  expect(issues('{"prompt":{"1":{"class_type":"A","inputs":{}}},"client_id":"x"}')).toEqual(["api"]);
  expect(issues('{"prompt":{"class_type":"A","inputs":{}}}')).toEqual(["api"]);
  expect(issues(json({ nodes: [], links: [null], version: 1, groups: [], unknown: { deep: true } }))).toEqual(["ui"]);
});

test("limits: at the limit passes, one over is refused by its own code", () => {
  const nodes = (n: number) => json(Object.fromEntries(Array.from({ length: n }, (_, i) => [i, { class_type: "A", inputs: {} }])));
  expect(issues(nodes(WORKFLOW_LIMITS.maxNodes))).toEqual(["api"]);
  expect(issues(nodes(WORKFLOW_LIMITS.maxNodes + 1))).toEqual(["WORKFLOW_TOO_LARGE"]);
  const links = (n: number) => json({ nodes: [], links: Array.from({ length: n }, (_, i) => [i, 1, 0, 2, 0, "X"]) });
  expect(issues(links(WORKFLOW_LIMITS.maxLinks))).toEqual(["ui"]);
  expect(issues(links(WORKFLOW_LIMITS.maxLinks + 1))).toEqual(["WORKFLOW_TOO_LARGE"]);
  const apiLinks = (n: number) =>
    json({ "1": { class_type: "A", inputs: Object.fromEntries(Array.from({ length: n }, (_, i) => [`x${i}`, ["1", 0]])) } });
  expect(issues(apiLinks(WORKFLOW_LIMITS.maxLinks + 1))).toEqual(["WORKFLOW_TOO_LARGE"]);
  const nested = (depth: number) => `{"1":{"class_type":"A","inputs":{"x":${"[".repeat(depth - 3)}${"]".repeat(depth - 3)}}}}`;
  expect(issues(nested(WORKFLOW_LIMITS.maxDepth))).toEqual(["api"]);
  expect(issues(nested(WORKFLOW_LIMITS.maxDepth + 1))).toEqual(["JSON_TOO_DEEP"]);
  expect(issues(" ".repeat(WORKFLOW_LIMITS.maxBytes + 1))).toEqual(["WORKFLOW_TOO_LARGE"]);
});

test("the document is kept as it was, unknown keys included", () => {
  const document = { nodes: [{ id: 1, type: "A", color: "#fff", mine: [1] }], links: [], extra: { ds: {} }, mine: 1 };
  const result = readWorkflow(document);
  expect(result.ok && result.workflow.format === "ui" && result.workflow.document).toBe(document);
});

test("an object nested by the thousand is an issue, not a crash", () => {
  let deep: Record<string, unknown> = { id: "x", nodes: [], links: [] };
  for (let i = 0; i < 20_000; i++) deep = { id: "x", nodes: [], links: [], definitions: { subgraphs: [deep] } };
  const result = readWorkflow(deep);
  expect(result.ok ? "ok" : result.issues[0]?.code).toBe("WORKFLOW_SHAPE");
});
