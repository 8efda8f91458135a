// Small workflows with what people's files hold: each is read as ComfyUI reads it, or refused in words.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseWorkflow } from "../engine/graph/parse-workflow.ts";
import { plan } from "../engine/graph/plan.ts";
import { type ValidateResult, validate } from "../engine/graph/validate.ts";
import { workflowToPrompt } from "../engine/graph/workflow-to-prompt.ts";
import { Registry } from "../engine/node/registry.ts";
import { nodes } from "../nodes/index.ts";

const registry = new Registry(nodes);

function check(document: string | object): ValidateResult {
  const parsed = parseWorkflow(typeof document === "string" ? document : JSON.stringify(document));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const converted = workflowToPrompt(parsed.workflow, registry);
  if (!converted.ok) throw new Error(JSON.stringify(converted.issues));
  const result = validate(converted.prompt, registry);
  return { ...result, warnings: [...converted.warnings, ...result.warnings] };
}
const fixture = (name: string): string => readFileSync(join(import.meta.dirname, "fixtures/workflows", `${name}.json`), "utf8");
const told = ({ issues, warnings }: ValidateResult) => [...issues, ...warnings].map((i) => [i.code, ...i.path].join(" "));

test("64.5 pixels are 64, with a word", () => {
  const result = check(fixture("api_float_for_int"));
  expect(result.graph.nodes.get("2")?.widgets.height).toBe(64);
  expect(told(result)).toEqual(["VALUE_CHANGED 2 height"]);
  expect(result.warnings[0]?.message).toContain("64.5");
});

test("NaN is refused, it does not ask for the default", () => {
  expect(told(check(fixture("api_python_nan")))).toEqual(["INVALID_INPUT_TYPE 2 width"]);
});

test("a size off the widget's step is taken", () => {
  const result = check(fixture("ks_size_odd"));
  expect(told(result)).toEqual([]);
  expect(result.graph.nodes.get("6")?.widgets).toMatchObject({ width: 100, height: 92 });
});

test("a value typed where a link of any type may come in", () => {
  const result = check(fixture("switch_literal"));
  expect(told(result)).toEqual([]);
  expect(result.graph.nodes.get("1")?.widgets).toEqual({ switch: false, on_false: "hello", on_true: "bye" });
  const keys = (text: string) => plan(check(fixture("switch_literal").replace("hello", text)).graph).steps.map((s) => s.own);
  expect(keys("hello")).not.toEqual(keys("other"));
});

test("CFGNorm with pre_cfg is refused, in API and in UI form", () => {
  expect(told(check(fixture("cfgnorm_pre_cfg_api")))).toEqual(["CUSTOM_VALIDATION_FAILED 4 pre_cfg"]);
  const ui = (values: unknown[]) =>
    check({
      nodes: [
        { id: 1, type: "UNETLoader", widgets_values: ["m.safetensors", "default"], outputs: [{ type: "MODEL" }] },
        {
          id: 2,
          type: "CFGNorm",
          inputs: [{ name: "model", type: "MODEL", link: 1 }],
          widgets_values: values,
          outputs: [{ type: "MODEL" }],
        },
        { id: 3, type: "PreviewAny", inputs: [{ name: "source", type: "*", link: 2 }] },
      ],
      links: [
        [1, 1, 0, 2, 0, "MODEL"],
        [2, 2, 0, 3, 0, "*"],
      ],
    });
  expect(told(ui([1, true]))).toEqual(["CUSTOM_VALIDATION_FAILED 2 pre_cfg"]);
  expect(told(ui([1, false]))).toEqual([]);
  expect(told(ui([1, false, "more"]))).toEqual(["WIDGET_COUNT 2"]);
});

test("previews pass on what they show; what comes after is made from its source", () => {
  const text = check(fixture("api_previewany_output"));
  expect(told(text)).toEqual([]);
  const pictures = check({
    "1": { class_type: "LoadImage", inputs: { image: "a.png" } },
    "2": { class_type: "PreviewImage", inputs: { images: ["1", 0] } },
    "3": { class_type: "SaveImage", inputs: { images: ["2", 0] } },
    "4": { class_type: "ImageScale", inputs: { image: ["3", 0] } },
    "5": { class_type: "SaveImage", inputs: { images: ["4", 0] } },
  });
  expect(told(pictures)).toEqual([]);
  expect(pictures.graph.nodes.get("4")?.links.get("image")).toEqual(["1", 0]);
  expect(plan(pictures.graph).steps.map((s) => s.id)).toEqual(["1", "2", "3", "4", "5"]);
});

test("widgets that belong to one choice are stored only with it; a widget that is newer than the file is passed over", () => {
  const resize = (values: unknown[]) => {
    const result = check({
      nodes: [
        { id: 1, type: "LoadImage", widgets_values: ["a.png"], outputs: [{ type: "IMAGE" }] },
        {
          id: 2,
          type: "ResizeImageMaskNode",
          inputs: [{ name: "input", type: "IMAGE,MASK", link: 1 }],
          widgets_values: values,
          outputs: [{ type: "IMAGE" }],
        },
        { id: 3, type: "PreviewImage", inputs: [{ name: "images", type: "IMAGE", link: 2 }] },
      ],
      links: [
        [1, 1, 0, 2, 0, "IMAGE"],
        [2, 2, 0, 3, 0, "IMAGE"],
      ],
    });
    expect(told(result)).toEqual([]);
    return result.graph.nodes.get("2")?.widgets;
  };
  expect(resize(["scale dimensions", 640, 360, "disabled", "lanczos"])).toMatchObject({
    "resize_type.width": 640,
    "resize_type.height": 360,
    "resize_type.crop": "disabled",
    scale_method: "lanczos",
  });
  expect(resize(["scale longer dimension", 640, "bicubic"])).toMatchObject({ "resize_type.longer_size": 640, scale_method: "bicubic" });
  expect(resize(["scale total pixels", 2, 16, "area"])).toMatchObject({ "resize_type.megapixels": 2, "resize_type.multiple": 16 });
  expect(resize(["scale total pixels", 2, "lanczos"])).toMatchObject({ "resize_type.multiple": 1, scale_method: "lanczos" });
});

test("names from Windows", () => {
  const result = check({
    "1": { class_type: "LoadImage", inputs: { image: "people\\anna.png" } },
    "2": { class_type: "SaveImage", inputs: { images: ["1", 0] } },
  });
  expect(result.graph.nodes.get("1")?.widgets.image).toBe("people/anna.png");
});
