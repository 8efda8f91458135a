import { expect, test } from "vitest";
import { nodes } from "../../nodes/index.ts";
import { Registry } from "../node/registry.ts";
import { parseWorkflow } from "./parse-workflow.ts";
import { validate } from "./validate.ts";
import { workflowToPrompt } from "./workflow-to-prompt.ts";

const registry = new Registry(nodes);

function convert(file: object) {
  const read = parseWorkflow(new TextEncoder().encode(JSON.stringify(file)));
  if (!read.ok) throw new Error(JSON.stringify(read.issues));
  const converted = workflowToPrompt(read.workflow, registry);
  if (!converted.ok) throw new Error(JSON.stringify(converted.issues));
  return { ...converted, checked: validate(converted.prompt, registry) };
}

const LOADERS = {
  1: { class_type: "UNETLoader", inputs: { unet_name: "m.safetensors", weight_dtype: "default" } },
  2: { class_type: "CLIPLoader", inputs: { clip_name: "c.safetensors", type: "qwen_image" } },
};
const show = (source: unknown) => ({ class_type: "PreviewAny", inputs: { source } });

test("Power Lora Loader: what is on becomes a chain of loaders, the last one under its own id", () => {
  const { prompt, checked } = convert({
    ...LOADERS,
    7: {
      class_type: "Power Lora Loader (rgthree)",
      inputs: {
        PowerLoraLoaderHeaderWidget: { type: "PowerLoraLoaderHeaderWidget" },
        lora_1: { on: true, lora: "a\\x.safetensors", strength: 0.8 },
        lora_2: { on: false, lora: "off.safetensors", strength: 1 },
        lora_3: { on: true, lora: "y.safetensors", strength: 0.5, strengthTwo: 0.25 },
        "➕ Add Lora": "",
        model: ["1", 0],
        clip: ["2", 0],
      },
    },
    8: show(["7", 0]),
    9: show(["7", 1]),
  });
  expect(prompt["7:lora_1"]).toMatchObject({
    class_type: "LoraLoader",
    inputs: { model: ["1", 0], clip: ["2", 0], lora_name: "a\\x.safetensors", strength_model: 0.8, strength_clip: 0.8 },
  });
  expect(prompt[7]).toMatchObject({
    class_type: "LoraLoader",
    inputs: { model: ["7:lora_1", 0], clip: ["7:lora_1", 1], lora_name: "y.safetensors", strength_model: 0.5, strength_clip: 0.25 },
  });
  expect(checked).toMatchObject({ ok: true, warnings: [] });
});

test("with nothing on, links go past it; without a text encoder, only the model is loaded onto", () => {
  const stack = (inputs: object) => ({ class_type: "Power Lora Loader (rgthree)", inputs: { model: ["1", 0], ...inputs } });
  const past = convert({ ...LOADERS, 7: stack({ clip: ["2", 0], lora_1: { on: true, lora: "None", strength: 1 } }), 8: show(["7", 1]) });
  expect(past.prompt).toEqual({ ...LOADERS, 8: show(["2", 0]) });
  const alone = convert({ ...LOADERS, 7: stack({ lora_1: { on: true, lora: "a.safetensors", strength: 1 } }), 8: show(["7", 0]) });
  expect(alone.prompt[7]).toMatchObject({ class_type: "LoraLoaderModelOnly", inputs: { model: ["1", 0], strength_model: 1 } });
});

test("Lora Loader Stack, in both formats", () => {
  const inputs = { lora_01: "a.safetensors", strength_01: 0.5, lora_02: "None", strength_02: 1, lora_03: "b.safetensors", strength_03: 0 };
  const api = convert({
    ...LOADERS,
    7: { class_type: "Lora Loader Stack (rgthree)", inputs: { ...inputs, model: ["1", 0], clip: ["2", 0] } },
    8: show(["7", 0]),
  });
  expect(Object.keys(api.prompt)).toEqual(["1", "2", "7", "8"]);
  expect(api.prompt[7]?.inputs).toMatchObject({ lora_name: "a.safetensors", strength_model: 0.5, strength_clip: 0.5 });
  expect(api.checked.ok).toBe(true);
});

/** A workflow of the editor: a model, one node between, and a preview of its first output. */
const around = (type: string, widgets_values: unknown, inputs: readonly string[] = ["model"]) => ({
  version: 0.4,
  nodes: [
    { id: 1, type: "UNETLoader", widgets_values: ["m.safetensors", "default"], outputs: [{ name: "MODEL", type: "MODEL", links: [1] }] },
    {
      id: 2,
      type,
      widgets_values,
      inputs: inputs.map((name, i) => ({ name, type: "MODEL", link: i === inputs.length - 1 ? 1 : null })),
      outputs: [{ name: "MODEL", type: "MODEL", links: [2] }],
    },
    { id: 3, type: "PreviewAny", inputs: [{ name: "source", type: "*", link: 2 }] },
    { id: 4, type: "Fast Groups Bypasser (rgthree)", widgets_values: [] },
  ],
  links: [
    [1, 1, 0, 2, inputs.length - 1, "MODEL"],
    [2, 2, 0, 3, 0, "MODEL"],
  ],
});

test("the editor's files: objects among other widgets, names and strengths in turn; nodes of the canvas say nothing", () => {
  const power = convert(
    around("Power Lora Loader (rgthree)", [
      {},
      { type: "PowerLoraLoaderHeaderWidget" },
      { on: true, lora: "a.safetensors", strength: 0.7, strengthTwo: null },
      { on: false, lora: "b.safetensors", strength: 1, strengthTwo: null },
      {},
      "",
    ]),
  );
  expect(power.prompt[2]).toMatchObject({ class_type: "LoraLoaderModelOnly", inputs: { lora_name: "a.safetensors", strength_model: 0.7 } });
  const stack = convert(around("Lora Loader Stack (rgthree)", ["None", 1, "b.safetensors", 0.6, "None", 1, "None", 1]));
  expect(stack.prompt[2]).toMatchObject({ class_type: "LoraLoaderModelOnly", inputs: { lora_name: "b.safetensors", strength_model: 0.6 } });
  for (const { checked, warnings } of [power, stack]) expect([checked.ok, checked.warnings, warnings]).toEqual([true, [], []]);
});

test("Any Switch passes on the first input that is connected; one that leads to itself, nothing", () => {
  const ui = convert(around("Any Switch (rgthree)", [], ["any_01", "any_02", "any_03"]));
  expect(ui.prompt).toMatchObject({ 3: { inputs: { source: ["1", 0] } } });
  expect(ui.prompt[2]).toBeUndefined();
  const { checked } = convert({ 1: { class_type: "Any Switch (rgthree)", inputs: { any_01: ["1", 0] } }, 2: show(["1", 0]) });
  expect(checked.issues).toMatchObject([{ code: "REQUIRED_INPUT_MISSING", path: ["2", "source"] }]);
});

test("Seed, Image Comparer and Display Any are nodes that are here", () => {
  const seed = (value: number) => ({ class_type: "Seed (rgthree)", inputs: { seed: value } });
  const { prompt, warnings, checked } = convert({
    1: seed(1125899906842624),
    2: seed(-1),
    3: { class_type: "Display Any (rgthree)", inputs: { source: ["1", 0], output: "" } },
    4: show(["2", 0]),
    5: { class_type: "LoadImage", inputs: { image: "a.png", upload: "image" } },
    6: { class_type: "Image Comparer (rgthree)", inputs: { rgthree_comparer: { images: [] }, image_a: ["5", 0] } },
  });
  expect(prompt[1]).toEqual({ class_type: "PrimitiveInt", inputs: { value: 1125899906842624 } });
  expect(prompt[2]?.inputs).toEqual({ value: 0 });
  expect(warnings).toMatchObject([{ code: "SEED_UNKNOWN", path: ["2", "seed"] }]);
  expect(prompt[6]).toEqual({ class_type: "ImageCompare", inputs: { image_a: ["5", 0] } });
  expect([checked.ok, checked.warnings]).toEqual([true, []]);
});

test("a control word that a file names by itself is the editor's business", () => {
  const { checked } = convert({
    1: { class_type: "PrimitiveInt", inputs: { value: 3, fixed: "fixed" } },
    2: show(["1", 0]),
  });
  expect([checked.ok, checked.warnings]).toEqual([true, []]);
});
