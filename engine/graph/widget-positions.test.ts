import { describe, expect, test } from "vitest";
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
      color_profile: widget(z.enum(["ignore", "convert"]).default("ignore"), { ours: true }),
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
  // An extension's own widget, in a file that ComfyUI saved.
  [["a.png", "image", ""], { image: "a.png" }],
  [["a.png", ""], { image: "a.png" }],
])("ComfyUI's upload button is no widget value: %j", (widgets_values, inputs) => {
  const document = { nodes: [{ id: 1, type: "LoadImage", mode: 0, inputs: [], outputs: [], widgets_values }], links: [], version: 0.4 };
  const parsed = parseWorkflow(JSON.stringify(document));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  expect(workflowToPrompt(parsed.workflow, nodes)).toMatchObject({ ok: true, prompt: { 1: { inputs } }, warnings: [] });
  const converted = workflowToPrompt(parsed.workflow, nodes);
  expect(converted.ok && converted.prompt[1]?.inputs).toEqual(inputs);
});

describe("values by position", () => {
  const typed = new Registry([
    defineNode({
      type: "T",
      version: "1.0.0",
      category: "t",
      summary: "s",
      inputs: {
        mode: widget(z.enum(["plain", "fine"])),
        detail: widget(z.int().default(1), { when: { mode: ["fine"] } }),
        size: widget(z.int().min(1).default(8)),
        name: widget(z.string().default("a")),
      },
      outputs: {},
      isOutput: true,
      cache: "pure",
      run: () => ({}),
    }),
  ]);
  const read = (node: object) => {
    const document = { nodes: [{ id: 1, type: "T", mode: 0, inputs: [], outputs: [], ...node }], links: [], version: 0.4 };
    const parsed = parseWorkflow(JSON.stringify(document));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    const result = workflowToPrompt(parsed.workflow, typed);
    if (!result.ok) throw new Error(JSON.stringify(result.issues));
    return { inputs: result.prompt[1]?.inputs, warnings: result.warnings.map((w) => w.code) };
  };

  test("a widget that is not there has no value", () => {
    expect(read({ widgets_values: ["plain", 64, "b"] })).toEqual({ inputs: { mode: "plain", size: 64, name: "b" }, warnings: [] });
    expect(read({ widgets_values: ["fine", 3, 64, "b"] })).toEqual({
      inputs: { mode: "fine", detail: 3, size: 64, name: "b" },
      warnings: [],
    });
  });

  test("a shorter list than the node has widgets skips those that it cannot fit; a list of full length skips none", () => {
    expect(read({ widgets_values: ["fine", 3, "b"] }).inputs).toEqual({ mode: "fine", detail: 3, name: "b" });
    expect(read({ widgets_values: ["fine", 3, "b", "c"] }).inputs).toEqual({ mode: "fine", detail: 3, size: "b", name: "c" });
  });

  test("values that are left over are named, but for what a node stores beside its widgets", () => {
    expect(read({ widgets_values: ["plain", 64, "b", 5] }).warnings).toEqual(["WIDGET_COUNT"]);
    for (const beside of [null, "image", "", "randomize"])
      expect(read({ widgets_values: ["plain", 64, "b", beside] }).warnings).toEqual([]);
  });

  test("a single value by name is enough for names to count", () => {
    expect(read({ widgets_values: ["plain", 64, "b"], widgets_values_named: { size: 32 } }).inputs).toMatchObject({ size: 32 });
  });
});
