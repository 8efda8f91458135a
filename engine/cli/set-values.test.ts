import { expect, test } from "vitest";
import { nodes } from "../../nodes/index.ts";
import type { Prompt } from "../graph/prompt.ts";
import type { Instance } from "../graph/workflow-to-prompt.ts";
import { Registry } from "../node/registry.ts";
import { setValues } from "./set-values.ts";

const registry = new Registry(nodes);
const prompt: Prompt = {
  "1": { class_type: "LoadImage", inputs: { image: "a.png" }, _meta: { title: "v1.5 face" } },
  "2:5": { class_type: "ImageScale", inputs: { image: ["1", 0], width: 8 } },
  "2:6": { class_type: "ImageScale", inputs: { image: ["1", 0], width: 8 } },
  "3": { class_type: "ResizeImageMaskNode", inputs: { input: ["1", 0], "resize_type.width": 8 } },
};
const instances = new Map<string, Instance>([
  [
    "2",
    {
      title: "Make it small",
      inputs: new Map([
        [
          "width",
          [
            ["2:5", "width"],
            ["2:6", "width"],
          ],
        ],
      ]),
    },
  ],
]);
const set = (...settings: string[]) => setValues(prompt, settings, registry, instances).prompt;

test("inner nodes by their ids, titles with dots, inputs with dots", () => {
  expect(set("2:5.width=64")["2:5"]?.inputs.width).toBe(64);
  expect(set("v1.5 face.image=b.png")["1"]?.inputs.image).toBe("b.png");
  expect(set("3.resize_type.width=64")["3"]?.inputs["resize_type.width"]).toBe(64);
  expect(set("ResizeImageMaskNode.resize_type.width=64")["3"]?.inputs["resize_type.width"]).toBe(64);
});

test("a subgraph's promoted input changes everything it feeds, by id or title", () => {
  for (const changed of [set("2.width=64"), set("Make it small.width=64")])
    expect([changed["2:5"]?.inputs.width, changed["2:6"]?.inputs.width]).toEqual([64, 64]);
});

test.each([
  ["2.widht=64", /promoted input widht/, "did you mean width?"],
  ["2:5.widht=64", /2:5 \(ImageScale\) has no input widht/, "did you mean width?"],
  ["ImageScale.width=64", /2 nodes are called ImageScale/, "2:5, 2:6"],
  ["Nobody.width=64", /no node Nobody/, "its nodes are"],
  ["width=64", /not NODE.INPUT=VALUE/, "--set 3.seed=7"],
])("%s", (setting, message, hint) => {
  expect(() => set(setting)).toThrow(
    expect.objectContaining({ code: "USAGE_SET", message: expect.stringMatching(message), hint: expect.stringContaining(hint) }),
  );
});
