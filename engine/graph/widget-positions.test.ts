import { expect, test } from "vitest";
import { z } from "zod";
import { defineNode, widget } from "../node/define-node.ts";
import { Registry } from "../node/registry.ts";
import { parseWorkflow } from "./parse-workflow.ts";
import { workflowToPrompt } from "./workflow-to-prompt.ts";

const nodes = new Registry([
  defineNode({
    type: "LoadImage",
    version: "1.0.0",
    category: "t",
    summary: "s",
    inputs: {
      image: widget(z.string(), { file: { kind: "input" } }),
      color_profile: widget(z.enum(["ignore", "convert"]).default("ignore")),
    },
    outputs: {},
    isOutput: true,
    cache: "pure",
    run: () => ({}),
  }),
]);

test.each([
  [["a.png", "image"], { image: "a.png" }],
  [["a.png", "convert"], { image: "a.png", color_profile: "convert" }],
  [["a.png", "convert", "image"], { image: "a.png", color_profile: "convert" }],
  [["image", "image"], { image: "image" }],
])("ComfyUI's upload button is no widget value: %j", (widgets_values, inputs) => {
  const document = { nodes: [{ id: 1, type: "LoadImage", mode: 0, inputs: [], outputs: [], widgets_values }], links: [], version: 0.4 };
  const parsed = parseWorkflow(JSON.stringify(document));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  expect(workflowToPrompt(parsed.workflow, nodes)).toMatchObject({ ok: true, prompt: { 1: { inputs } }, warnings: [] });
  const converted = workflowToPrompt(parsed.workflow, nodes);
  expect(converted.ok && converted.prompt[1]?.inputs).toEqual(inputs);
});
