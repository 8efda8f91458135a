// Which input a bypassed node passes on, as ComfyUI's front end 1.58.1 does it: asked for every mix of these types.
import { expect, test } from "vitest";
import { comfyRegistry } from "../../test/fixtures/comfy-nodes.ts";
import { parseWorkflow } from "./parse-workflow.ts";
import { workflowToPrompt } from "./workflow-to-prompt.ts";

const inputs = [
  ["IMAGE"],
  ["MASK"],
  ["LATENT"],
  ["*"],
  ["IMAGE,MASK"],
  ["MASK", "IMAGE"],
  ["LATENT", "IMAGE"],
  ["LATENT", "*"],
  ["*", "IMAGE"],
  ["IMAGE,MASK", "IMAGE"],
  ["MASK", "IMAGE,MASK"],
  ["LATENT", "IMAGE", "IMAGE"],
];
const outputs = [["IMAGE"], ["*"], ["IMAGE,MASK"], ["MASK", "IMAGE"], ["LATENT", "IMAGE"], ["IMAGE", "IMAGE"]];
const consumers = ["IMAGE", "MASK", "*", "IMAGE,MASK"];
/** The index of the input that is passed on, or "-": for each list of inputs, of outputs, each consumer and each output. */
const answers =
  "0-000-000-0000--00-000--00-000--0000-00--000-000--00000---0000----0000----0---0---0-----00------00------00--00000000000000000000" +
  "000000000000000000000000000000000000-0-000000000000010011000100011000101110001-1110001111-011-011-0111--01-111--01-111--01111101" +
  "110111011111011111110111111101110000000000000100010101000101010001010000000000000100010111-0010101000101100110001000110101" +
  "01-1010111110101111-011-011-0111--01-111--01-111--0111";

interface Node {
  readonly type?: string;
  readonly mode?: number;
  readonly inputs?: readonly (readonly [type: string, link: number | null])[];
  readonly outputs?: readonly string[];
}

function promptOf(nodes: Readonly<Record<number, Node>>, links: readonly unknown[]) {
  const document = {
    nodes: Object.entries(nodes).map(([id, { type = "Any", mode = 0, inputs: given = [], outputs: types = [] }]) => ({
      id: Number(id),
      type,
      mode,
      inputs: given.map(([t, link], i) => ({ name: `i${i}`, type: t, link })),
      outputs: types.map((t) => ({ name: t, type: t, links: [] })),
    })),
    links,
    version: 0.4,
  };
  const parsed = parseWorkflow(JSON.stringify(document));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const result = workflowToPrompt(parsed.workflow, comfyRegistry);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.prompt;
}

test("of several inputs, a bypassed node passes on the front end's", () => {
  const found: string[] = [];
  for (const given of inputs)
    for (const types of outputs)
      for (const wanted of consumers)
        for (const [slot, type] of types.entries()) {
          const prompt = promptOf(
            {
              1: { mode: 4, inputs: given.map((t, i) => [t, 100 + i]), outputs: types },
              2: { inputs: [[wanted, 200]] },
              ...Object.fromEntries(given.map((t, i) => [10 + i, { outputs: [t] }])),
            },
            [...given.map((t, i) => [100 + i, 10 + i, 0, 1, i, t]), [200, 1, slot, 2, 0, type]],
          );
          const origin = prompt[2]?.inputs.i0;
          found.push(Array.isArray(origin) ? String(Number(origin[0]) - 10) : "-");
        }
  expect(found.join("")).toBe(answers);
});

test("through several bypassed nodes, each passes on what the next one takes", () => {
  // A text ← anything → text, bypassed ← a loader whose picture output stands before a text input, bypassed.
  const prompt = promptOf(
    {
      1: { outputs: ["COMBO"] },
      2: { mode: 4, inputs: [["COMBO", 1]], outputs: ["IMAGE"] },
      3: { mode: 4, inputs: [["*", 2]], outputs: ["STRING"] },
      4: { inputs: [["STRING", 3]] },
    },
    [
      [1, 1, 0, 2, 0, "COMBO"],
      [2, 2, 0, 3, 0, "IMAGE"],
      [3, 3, 0, 4, 0, "STRING"],
    ],
  );
  expect(prompt[4]?.inputs).toEqual({ i0: ["1", 0] });
});
