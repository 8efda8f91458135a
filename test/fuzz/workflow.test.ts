// Whatever a workflow file holds: issues with a code, a message and a path, or a plan. Never an exception.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Issue } from "../../engine/base/issues.ts";
import { stringifyJson } from "../../engine/base/json.ts";
import { randomSource } from "../../engine/base/random.ts";
import { parseWorkflow } from "../../engine/graph/parse-workflow.ts";
import { plan } from "../../engine/graph/plan.ts";
import { validate } from "../../engine/graph/validate.ts";
import { workflowToPrompt } from "../../engine/graph/workflow-to-prompt.ts";
import { comfyRegistry } from "../fixtures/comfy-nodes.ts";
import { FUZZ_TIMEOUT_MS, fuzzRuns, mutateBytes, mutateJson } from "./mutations.ts";

const RUNS = fuzzRuns(4000);

type Outcome = "refused" | "untransformable" | "invalid" | "planned";

/** The whole way of a file; throws only when the promise is broken. */
function walk(source: string | Uint8Array): Outcome {
  const parsed = parseWorkflow(source);
  if (!parsed.ok) return check(parsed.issues, "refused");
  const transformed = workflowToPrompt(parsed.workflow, comfyRegistry);
  if (!transformed.ok) return check(transformed.issues, "untransformable");
  const checked = validate(transformed.prompt, comfyRegistry);
  if (!checked.ok) {
    for (const issue of checked.issues) {
      const [id] = issue.path;
      if (id !== undefined && !Object.hasOwn(transformed.prompt, id)) throw new Error(`the path of ${stringifyJson(issue)} leads nowhere`);
    }
    return check(checked.issues, "invalid");
  }
  const { steps } = plan(checked.graph);
  const done = new Set<string>();
  for (const step of steps) {
    for (const { id, output } of [...Object.values(step.links), ...Object.values(step.extra)])
      if (!done.has(id) || output === "") throw new Error(`step ${step.id} needs ${id} before it ran`);
    done.add(step.id);
  }
  return "planned";
}

function check(issues: readonly Issue[], outcome: Outcome): Outcome {
  if (issues.length === 0) throw new Error(`${outcome} without an issue`);
  for (const { code, message } of issues)
    if (!/^[A-Z][A-Z_]+$/.test(code) || message === "" || /undefined|\[object/.test(message)) throw new Error(`${code}: ${message}`);
  return outcome;
}

const S = (id: string, inputs: object[], outputs: object[], rest: object): object => ({ id, inputs, outputs, ...rest });
const small = {
  version: 0.4,
  nodes: [
    { id: 1, type: "LoadImage", mode: 0, outputs: [{ name: "IMAGE", type: "IMAGE", links: [1] }], widgets_values: ["a.png", "image"] },
    {
      id: 2,
      type: "sg",
      mode: 0,
      inputs: [{ name: "image", type: "IMAGE", link: 1 }],
      outputs: [{ type: "IMAGE" }],
      properties: {
        proxyWidgets: [
          ["-1", "megapixels"],
          ["5", "upscale_method"],
        ],
      },
      widgets_values: [2, "area"],
    },
    { id: 3, type: "Reroute", mode: 0, inputs: [{ name: "", type: "*", link: 2 }], outputs: [{ type: "*" }] },
    {
      id: 4,
      type: "SaveImage",
      mode: 0,
      inputs: [
        { name: "images", type: "IMAGE", link: 3 },
        { name: "filename_prefix", type: "STRING", link: 4, widget: { name: "filename_prefix" } },
      ],
      widgets_values: ["x"],
    },
    { id: 9, type: "PrimitiveNode", mode: 0, outputs: [{ type: "STRING" }], widgets_values: ["y", "fixed"] },
    { id: 10, type: "FluxKontextImageScale", mode: 4, inputs: [{ name: "image", type: "IMAGE", link: 5 }], outputs: [{ type: "IMAGE" }] },
    { id: 11, type: "PreviewAny", mode: 0, inputs: [{ name: "source", type: "*", link: 6 }] },
  ],
  links: [
    [1, 1, 0, 2, 0, "IMAGE"],
    [2, 2, 0, 3, 0, "*"],
    [3, 3, 0, 4, 0, "*"],
    [4, 9, 0, 4, 1, "STRING"],
    [5, 1, 0, 10, 0, "IMAGE"],
    [6, 10, 0, 11, 0, "IMAGE"],
  ],
  definitions: {
    subgraphs: [
      S(
        "sg",
        [
          { name: "image", type: "IMAGE" },
          { name: "megapixels", type: "FLOAT" },
        ],
        [{ name: "IMAGE", type: "IMAGE" }],
        {
          nodes: [
            {
              id: 5,
              type: "ImageScaleToTotalPixels",
              mode: 0,
              inputs: [
                { name: "image", type: "IMAGE", link: 1 },
                { name: "megapixels", type: "FLOAT", link: 2, widget: { name: "megapixels" } },
              ],
              outputs: [{ type: "IMAGE" }],
              widgets_values: ["lanczos", 1],
            },
          ],
          links: [
            { id: 1, origin_id: -10, origin_slot: 0, target_id: 5, target_slot: 0 },
            { id: 2, origin_id: -10, origin_slot: 1, target_id: 5, target_slot: 1 },
            { id: 3, origin_id: 5, origin_slot: 0, target_id: -20, target_slot: 0 },
          ],
        },
      ),
    ],
  },
};
const api = {
  "1": { class_type: "PrimitiveInt", inputs: { value: 4 } },
  "2": { class_type: "EmptySD3LatentImage", inputs: { width: 64, height: ["1", 0], batch_size: 1 } },
  "3": { class_type: "ComfySwitchNode", inputs: { switch: ["5", 0], on_true: ["2", 0], on_false: ["1", 0] } },
  "4": { class_type: "PreviewAny", inputs: { source: ["3", 0] } },
  "5": { class_type: "PrimitiveBoolean", inputs: { value: true } },
};
const valid = { ...api, "1": { class_type: "PrimitiveInt", inputs: { value: 64 } } };
const seeds = [small, api, valid];
const template = readFileSync(join(import.meta.dirname, "../golden/templates/image_qwen_image_edit.json"));

test("the seeds themselves are valid, so mutation starts from everything", () => {
  expect([walk(JSON.stringify(small)), walk(JSON.stringify(valid)), walk(template), walk(JSON.stringify(api))]).toEqual([
    "planned",
    "planned",
    "planned",
    "invalid",
  ]);
});

test(
  "mutated documents and bytes",
  () => {
    const random = randomSource(20_260_101);
    const outcomes = new Map<Outcome, number>();
    for (let i = 0; i < RUNS; i++) {
      const state = random.state;
      const seed = seeds[random.below(seeds.length)];
      const kind = random.below(16);
      const source =
        kind === 0 && i % 8 === 0
          ? mutateBytes(random, template)
          : kind < 6
            ? mutateBytes(random, new TextEncoder().encode(JSON.stringify(seed)))
            : JSON.stringify(mutateJson(random, seed));
      try {
        const outcome = walk(source);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      } catch (error) {
        const text = typeof source === "string" ? source : Buffer.from(source).toString("latin1");
        throw new Error(`input ${i} (generator state ${state}): ${text.slice(0, 2000)}`, { cause: error });
      }
    }
    // A fuzzer that never gets past the parser, or never breaks anything, tests nothing.
    expect([...outcomes.keys()].sort()).toEqual(expect.arrayContaining(["invalid", "planned", "refused"]));
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "any JSON, and any graph of known nodes with random links and values",
  () => {
    const types = [...comfyRegistry.types(), "Nope", "toString"];
    const id = fc.constantFrom("0", "1", "2", "3", "4", "5", "6:1", "constructor");
    const link = fc.tuple(id, fc.nat(2));
    const node = fc.record({
      class_type: fc.constantFrom(...types),
      inputs: fc.dictionary(
        fc.oneof(
          fc.constantFrom("model", "image", "images", "source", "value", "switch", "on_true", "samples", "vae", "steps", "clip"),
          fc.string({ maxLength: 5 }),
        ),
        fc.oneof({ weight: 4, arbitrary: link }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) }),
        { maxKeys: 5 },
      ),
    });
    const graph = fc.dictionary(id, node, { maxKeys: 8 });
    fc.assert(
      fc.property(fc.oneof({ weight: 3, arbitrary: graph }, { weight: 1, arbitrary: fc.jsonValue() }), (value) => {
        walk(JSON.stringify(value) ?? "null");
      }),
      { numRuns: Math.ceil(RUNS / 4), seed: 7 },
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  },
  FUZZ_TIMEOUT_MS,
);
