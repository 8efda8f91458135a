// Small workflow files that go wrong in people's hands, against the real nodes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseWorkflow } from "../engine/graph/parse-workflow.ts";
import { plan } from "../engine/graph/plan.ts";
import { validate } from "../engine/graph/validate.ts";
import { workflowToPrompt } from "../engine/graph/workflow-to-prompt.ts";
import { Registry } from "../engine/node/registry.ts";
import { nodes } from "../nodes/index.ts";

const registry = new Registry(nodes);

function checked(name: string) {
  const parsed = parseWorkflow(readFileSync(join(import.meta.dirname, "fixtures/cases", name)));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const converted = workflowToPrompt(parsed.workflow, registry);
  if (!converted.ok) throw new Error(JSON.stringify(converted.issues));
  return validate(converted.prompt, registry);
}

test("two outputs, one behind a muted node: the other runs", () => {
  const { graph, issues } = checked("ui_two_outputs_one_muted.json");
  expect(issues).toMatchObject([{ code: "REQUIRED_INPUT_MISSING", path: ["5", "images"], outputs: ["5"] }]);
  const { steps, skipped } = plan(graph);
  expect(steps.map((s) => s.id)).toEqual(["1", "2", "3"]);
  expect(skipped).toMatchObject([{ id: "5", type: "SaveImage" }]);
});

test("an unknown node that nothing needs is a warning; one that only steers the canvas says nothing", () => {
  const { ok, warnings, graph } = checked("ui_unknown_unconnected.json");
  expect(ok).toBe(true);
  expect(warnings.map((w) => [w.code, ...w.path])).toEqual([["UNKNOWN_NODE_TYPE", "10"]]);
  expect(plan(graph).steps.map((s) => s.id)).toEqual(["1", "2", "3"]);
});
