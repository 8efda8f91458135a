import { expect, test } from "vitest";
import { z } from "zod";
import { nodes } from "../../nodes/index.ts";
import { parseWidget } from "../graph/widget-value.ts";
import { type AnyNode, defineNode, type InputSpec, input, optional, widget } from "./define-node.ts";
import { nodeInfo, objectInfo } from "./object-info.ts";
import { Registry } from "./registry.ts";
import { socket } from "./socket.ts";

const MODEL = socket<string>("MODEL");
const sampler = defineNode({
  type: "Sampler",
  version: "1.2.3",
  category: "sampling/test",
  summary: "Samples.",
  inputs: {
    model: input(MODEL, "the model"),
    seed: widget(
      z
        .bigint()
        .min(0n)
        .max(2n ** 64n - 1n)
        .default(0n),
      { controlAfterGenerate: true },
    ),
    steps: widget(z.int().min(1).max(100).default(20), { tooltip: "how many", step: 1, display: "slider" }),
    mask: optional(socket<number>("MASK")),
    kind: widget(z.enum(["a", "b"]).default("a")),
    text: widget(z.string(), { multiline: true }),
    vae: widget(z.string(), { file: { kind: "model", folder: "vae" } }),
  },
  outputs: { LATENT: socket<number>("LATENT"), patched: MODEL },
  cache: "seeded",
  isOutput: false,
  run: ({ seed, model }) => ({ LATENT: Number(seed), patched: model }),
});

test("object_info is ComfyUI's shape, and JSON", () => {
  const info = objectInfo(new Registry([sampler]), (folder) => [`${folder}/x.safetensors`]);
  expect(JSON.parse(JSON.stringify(info))).toEqual({
    Sampler: {
      input: {
        required: {
          model: ["MODEL", { tooltip: "the model" }],
          seed: ["INT", { default: 0, min: 0, max: 18446744073709552000, control_after_generate: true }],
          steps: ["INT", { default: 20, min: 1, max: 100, tooltip: "how many", step: 1, display: "slider" }],
          kind: [["a", "b"], { default: "a" }],
          text: ["STRING", { multiline: true }],
          vae: [["vae/x.safetensors"], {}],
        },
        optional: { mask: ["MASK", {}] },
        hidden: {},
      },
      input_order: { required: ["model", "seed", "steps", "kind", "text", "vae"], optional: ["mask"], hidden: [] },
      output: ["LATENT", "MODEL"],
      output_is_list: [false, false],
      output_name: ["LATENT", "patched"],
      name: "Sampler",
      display_name: "Sampler",
      description: "Samples.",
      python_module: "nodes",
      category: "sampling/test",
      output_node: false,
      search_aliases: [],
    },
  });
});

test("the registry hands out the graph's view and the declaration", () => {
  const registry = new Registry([sampler]);
  expect(registry.types()).toEqual(["Sampler"]);
  expect(registry.node("Sampler")).toBe(sampler);
  expect(registry.get("toString")).toBeUndefined();
  const entry = registry.get("Sampler");
  expect([...(entry?.inputs.keys() ?? [])]).toEqual(["model", "seed", "steps", "mask", "kind", "text", "vae"]);
  expect(entry?.inputs.get("seed")).toMatchObject({ kind: "widget", type: "INT", required: false, controlAfterGenerate: true });
  expect(entry?.inputs.get("vae")).toMatchObject({ required: true, file: { kind: "model", folder: "vae" } });
  expect(entry?.outputs).toEqual([
    { name: "LATENT", type: "LATENT" },
    { name: "patched", type: "MODEL" },
  ]);
});

test("wrong declarations are refused by name", () => {
  const build = (change: Partial<AnyNode>) => () => new Registry([{ ...sampler, ...change }]);
  const inputs = (spec: Record<string, InputSpec>) => build({ inputs: spec });
  expect(() => new Registry([sampler, sampler])).toThrow(expect.objectContaining({ code: "REGISTRY_DUPLICATE_TYPE" }));
  for (const wrong of [
    build({ type: "sampler" }),
    build({ version: "1" }),
    build({ outputs: {} }),
    build({ outputs: { "0": MODEL } }),
    inputs({ "a b": input(MODEL) }),
    inputs({ list: widget(z.array(z.string())) }),
  ])
    expect(wrong).toThrow(expect.objectContaining({ code: "REGISTRY_DECLARATION", message: expect.stringMatching(/^node \w*:/) }));
});

test("every built-in node is well declared: a summary, a category, and /object_info for it", () => {
  const registry = new Registry(nodes);
  expect(registry.types().length).toBe(nodes.length);
  for (const node of nodes) {
    expect(node.summary, node.type).toMatch(/\.$/);
    expect(node.category, node.type).toMatch(/^[\w-]+(\/[\w-]+)*$/);
  }
});

test("/object_info of every built-in node names each input and output once, and every default is one that its widget takes", () => {
  const registry = new Registry(nodes);
  for (const node of nodes) {
    const { input, input_order, output, output_name, output_is_list, ...info } = z
      .looseObject({
        input: z.record(
          z.string(),
          z.record(z.string(), z.tuple([z.union([z.string(), z.array(z.union([z.string(), z.number()]))]), z.looseObject({})])),
        ),
        input_order: z.record(z.string(), z.array(z.string())),
        output: z.array(z.string()),
        output_name: z.array(z.string()),
        output_is_list: z.array(z.boolean()),
      })
      .parse(JSON.parse(JSON.stringify(nodeInfo(node))));
    const described = registry.get(node.type);
    expect(info, node.type).toMatchObject({
      name: node.type,
      category: node.category,
      description: node.summary,
      output_node: node.isOutput ?? false,
    });
    expect(Object.entries(input).map(([part, inputs]) => [part, Object.keys(inputs)])).toEqual(Object.entries(input_order));
    expect([...(input_order.required ?? []), ...(input_order.optional ?? [])].sort(), node.type).toEqual(Object.keys(node.inputs).sort());
    expect(output_name, node.type).toEqual(Object.keys(node.outputs));
    expect(output, node.type).toEqual(Object.values(node.outputs).map((s) => s.name));
    expect(output_is_list.length).toBe(output.length);
    for (const [name, [type, options]] of Object.entries({ ...input.required, ...input.optional })) {
      const declared = described?.inputs.get(name);
      if (declared?.kind === "socket") expect(type, `${node.type}.${name}`).toBe(declared.type);
      if (declared?.kind !== "widget") continue;
      const at = `${node.type}.${name}`;
      expect(Array.isArray(type) ? "COMBO" : type, at).toBe(declared.file ? "COMBO" : declared.type);
      const value = options.default;
      if (value === undefined) continue;
      expect(parseWidget(declared, value).ok, `${at} = ${String(value)}`).toBe(true);
      if (Array.isArray(type) && !declared.file) expect(type, at).toContain(value);
      for (const [bound, isWithin] of [
        [options.min, (v: number, b: number) => v >= b],
        [options.max, (v: number, b: number) => v <= b],
      ] as const)
        if (typeof value === "number" && typeof bound === "number") expect(isWithin(value, bound), at).toBe(true);
    }
  }
});
