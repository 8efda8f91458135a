import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineNode, input, widget } from "../node/define-node.ts";
import { Registry } from "../node/registry.ts";
import { socket } from "../node/socket.ts";
import { parseWorkflow } from "./parse-workflow.ts";
import type { Prompt } from "./prompt.ts";
import { validate } from "./validate.ts";
import { workflowToPrompt } from "./workflow-to-prompt.ts";

const DATA = socket<number>("DATA");
const sample = new Registry([
  defineNode({
    type: "Sampler",
    version: "1.0.0",
    category: "t",
    summary: "s",
    inputs: { seed: widget(z.int().default(0), { controlAfterGenerate: true }), steps: widget(z.int().default(1)) },
    outputs: { DATA },
    cache: "seeded",
    run: () => ({ DATA: 1 }),
  }),
  defineNode({
    type: "Scale",
    version: "1.0.0",
    category: "t",
    summary: "s",
    inputs: { x: input(DATA), factor: widget(z.number().default(1)) },
    outputs: { DATA },
    cache: "pure",
    run: () => ({ DATA: 1 }),
  }),
  defineNode({
    type: "Save",
    version: "1.0.0",
    category: "t",
    summary: "s",
    inputs: { x: input(DATA), filename_prefix: widget(z.string().default("x")) },
    outputs: {},
    cache: "pure",
    isOutput: true,
    run: () => ({}),
  }),
]);

interface Doc {
  nodes: Record<string, unknown>[];
  links: unknown[];
  [key: string]: unknown;
}

/** A 0.4 file: a seed with its control entry, bypassed 2, legacy Reroute 3, primitive 4. */
const flat = (mode: number, links: unknown[] = FLAT_LINKS): Doc => ({
  last_node_id: 5,
  last_link_id: 4,
  version: 0.4,
  extra: { ds: { scale: 1, offset: [0, 0] } },
  nodes: [
    {
      id: 1,
      type: "Sampler",
      order: 1,
      mode: 0,
      inputs: [{ name: "seed", type: "INT", link: 4, widget: { name: "seed" } }],
      outputs: [{ name: "DATA", type: "DATA", links: [1] }],
      widgets_values: [42, "randomize", 10],
    },
    {
      id: 2,
      type: "Scale",
      mode,
      inputs: [{ name: "x", type: "DATA", link: 1 }],
      outputs: [{ name: "DATA", type: "DATA", links: [2] }],
      widgets_values: [2],
    },
    { id: 3, type: "Reroute", mode: 0, inputs: [{ name: "", type: "*", link: 2 }], outputs: [{ name: "DATA", type: "DATA", links: [3] }] },
    { id: 4, type: "PrimitiveNode", mode: 0, outputs: [{ name: "INT", type: "INT", links: [4] }], widgets_values: [7, "fixed"] },
    { id: 5, type: "Save", mode: 0, inputs: [{ name: "x", type: "DATA", link: 3 }], widgets_values: ["out"] },
    { id: 6, type: "Note", mode: 0, widgets_values: ["hello"] },
  ],
  links,
});
const FLAT_LINKS = [
  [1, 1, 0, 2, 0, "DATA"],
  [2, 2, 0, 3, 0, "*"],
  [3, 3, 0, 5, 0, "DATA"],
  [4, 4, 0, 1, 0, "INT"],
];

function promptOf(document: unknown): Prompt {
  const parsed = parseWorkflow(typeof document === "string" ? document : JSON.stringify(document));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const result = workflowToPrompt(parsed.workflow, sample);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.prompt;
}
const codes = (document: unknown): string[] => {
  const parsed = parseWorkflow(JSON.stringify(document));
  if (!parsed.ok) return parsed.issues.map((i) => i.code);
  const result = workflowToPrompt(parsed.workflow, sample);
  return result.ok ? [] : result.issues.map((i) => i.code);
};

describe("a flat workflow", () => {
  const bypassed: Prompt = {
    "1": { class_type: "Sampler", inputs: { seed: 7, steps: 10 } },
    "5": { class_type: "Save", inputs: { x: ["1", 0], filename_prefix: "out" } },
  };

  test("bypass passes on, reroute and primitive vanish, the primitive's value wins", () => {
    expect(promptOf(flat(4))).toEqual(bypassed);
  });

  test("mute drops the link, so the consumer's required input is missing", () => {
    const prompt = promptOf(flat(2));
    expect(prompt["5"]).toEqual({ class_type: "Save", inputs: { filename_prefix: "out" } });
    const result = validate(prompt, sample);
    expect(result.ok ? [] : result.issues.map((i) => [i.code, ...i.path])).toEqual([["REQUIRED_INPUT_MISSING", "5", "x"]]);
  });

  test("mode 0 keeps the node; version 1 has its links as objects; widget values may have names", () => {
    const active = promptOf(flat(0));
    expect(active["2"]).toEqual({ class_type: "Scale", inputs: { factor: 2, x: ["1", 0] } });
    const objects = FLAT_LINKS.map(([id, a, b, c, d, type]) => ({
      id,
      origin_id: a,
      origin_slot: b,
      target_id: c,
      target_slot: d,
      type,
      parentId: 9,
    }));
    const one = { ...flat(4, objects), version: 1, state: { lastNodeId: 5 }, reroutes: [{ id: 9, pos: [0, 0], linkIds: [1] }] };
    expect(promptOf(one)).toEqual(bypassed);
    const named = flat(4);
    named.nodes[0] = { ...named.nodes[0], widgets_values: { seed: 42, steps: 10 } };
    expect(promptOf(named)).toEqual(bypassed);
  });

  test("a bypassed node passes on the input of the consumer's type, at the same slot first; loops of reroutes have no source", () => {
    const bypass = (...inputs: readonly (readonly [type: string, link: number | null])[]): unknown => {
      const doc = flat(4);
      doc.nodes[1] = { ...doc.nodes[1], inputs: inputs.map(([type, link]) => ({ name: type, type, link })) };
      return promptOf(doc)["5"]?.inputs.x;
    };
    expect(bypass(["OTHER", 4], ["DATA", 1])).toEqual(["1", 0]);
    expect(bypass(["DATA", null], ["DATA", 1])).toBeUndefined();
    expect(bypass(["OTHER", 1])).toBeUndefined();
    const loop = flat(4);
    loop.nodes[2] = { ...loop.nodes[2], inputs: [{ name: "", type: "*", link: 3 }] };
    expect(promptOf(loop)["5"]?.inputs.x).toBeUndefined();
  });

  test("64-bit seeds arrive exactly", () => {
    const text = JSON.stringify(flat(4)).replace('"widgets_values":[7,', '"widgets_values":[18446744073709551615,');
    expect(promptOf(text)["1"]?.inputs.seed).toBe(18446744073709551615n);
  });
});

describe("API format", () => {
  test("bare, wrapped, and with ids of subgraphs", () => {
    const api = {
      "5:2": { class_type: "Dense", inputs: { x: ["1", 0], layers: { __value__: [64, 32] }, seed: 42 }, _meta: { title: "Dense" } },
      "1": { class_type: "LoadCsv", inputs: { file: "iris.csv" } },
    };
    expect(promptOf(api)).toEqual(api);
    expect(promptOf({ prompt: api, client_id: "x" })).toEqual(api);
  });
});

describe("subgraphs", () => {
  const inner = (extra: Record<string, unknown> = {}) => ({
    id: "sg-a",
    name: "A",
    version: 1,
    inputNode: { id: -10 },
    outputNode: { id: -20 },
    inputs: [
      { id: "u1", name: "unused", type: "DATA" },
      { id: "u2", name: "x", type: "DATA" },
      { id: "u3", name: "steps", type: "INT" },
    ],
    outputs: [{ id: "o1", name: "DATA", type: "DATA" }],
    nodes: [
      {
        id: 7,
        type: "Sampler",
        mode: 0,
        inputs: [{ name: "steps", type: "INT", link: 12, widget: { name: "steps" } }],
        outputs: [{ name: "DATA", type: "DATA", links: [] }],
        widgets_values: [1, "fixed", 2],
      },
      {
        id: 8,
        type: "Scale",
        mode: 0,
        inputs: [{ name: "x", type: "DATA", link: 10 }],
        outputs: [{ name: "DATA", type: "DATA", links: [11] }],
        widgets_values: [3],
      },
    ],
    links: [
      { id: 10, origin_id: -10, origin_slot: 1, target_id: 8, target_slot: 0, type: "DATA" },
      { id: 11, origin_id: 8, origin_slot: 0, target_id: -20, target_slot: 0, type: "DATA" },
      { id: 12, origin_id: -10, origin_slot: 2, target_id: 7, target_slot: 1, type: "INT" },
    ],
    ...extra,
  });
  const outer = (instance: Record<string, unknown>, subgraphs: unknown[] = [inner()]): Doc => ({
    version: 0.4,
    nodes: [
      { id: 1, type: "Sampler", mode: 0, outputs: [{ name: "DATA", type: "DATA", links: [1] }], widgets_values: [42, "fixed", 10] },
      {
        id: 2,
        type: "sg-a",
        mode: 0,
        // Like the published files: inputs that are only widgets may be absent.
        inputs: [{ name: "x", type: "DATA", link: 1 }],
        outputs: [{ name: "DATA", type: "DATA", links: [2] }],
        ...instance,
      },
      { id: 3, type: "Save", mode: 0, inputs: [{ name: "x", type: "DATA", link: 2 }], widgets_values: ["out"] },
    ],
    links: [
      [1, 1, 0, 2, 0, "DATA"],
      [2, 2, 0, 3, 0, "DATA"],
    ],
    definitions: { subgraphs },
  });

  test("are flattened; promoted widgets give their values to inputs and to inner nodes", () => {
    const proxies = {
      proxyWidgets: [
        ["-1", "steps"],
        ["8", "factor"],
        ["7", "control_after_generate"],
        ["7", "seed"],
      ],
    };
    expect(promptOf(outer({ properties: proxies, widgets_values: [99, 5, "randomize"] }))).toEqual({
      "1": { class_type: "Sampler", inputs: { seed: 42, steps: 10 } },
      "2:7": { class_type: "Sampler", inputs: { seed: 1, steps: 99 } },
      "2:8": { class_type: "Scale", inputs: { factor: 5, x: ["1", 0] } },
      "3": { class_type: "Save", inputs: { filename_prefix: "out", x: ["2:8", 0] } },
    });
  });

  test("keep the inner widgets' values where nothing is promoted, and follow the instance's own widget inputs", () => {
    expect(promptOf(outer({ properties: {} }))["2:7"]?.inputs).toEqual({ seed: 1, steps: 2 });
    const own = {
      inputs: [
        { name: "x", type: "DATA", link: 1 },
        { name: "steps", type: "INT", link: null, widget: { name: "steps" } },
      ],
      widgets_values: [4],
    };
    expect(promptOf(outer(own))["2:7"]?.inputs).toEqual({ seed: 1, steps: 4 });
  });

  test("bypassed: passes on; muted: drops", () => {
    expect(promptOf(outer({ mode: 4 }))["3"]?.inputs.x).toEqual(["1", 0]);
    expect(Object.keys(promptOf(outer({ mode: 2 })))).toEqual(["1", "3"]);
    expect(promptOf(outer({ mode: 2 }))["3"]?.inputs.x).toBeUndefined();
  });

  test("nest, with ids instance:instance:inner and values handed down", () => {
    const nest = {
      id: "sg-b",
      inputs: [{ name: "x", type: "DATA" }],
      outputs: [{ name: "DATA", type: "DATA" }],
      nodes: [
        {
          id: 4,
          type: "sg-a",
          mode: 0,
          inputs: [{ name: "x", type: "DATA", link: 20 }],
          outputs: [{ name: "DATA", type: "DATA", links: [21] }],
          properties: {
            proxyWidgets: [
              ["-1", "steps"],
              ["8", "factor"],
            ],
          },
          widgets_values: [50, 51],
        },
      ],
      links: [
        { id: 20, origin_id: -10, origin_slot: 0, target_id: 4, target_slot: 0, type: "DATA" },
        { id: 21, origin_id: 4, origin_slot: 0, target_id: -20, target_slot: 0, type: "DATA" },
      ],
      definitions: { subgraphs: [inner()] },
    };
    const doc = outer({ type: "sg-b", properties: { proxyWidgets: [["4", "factor"]] }, widgets_values: [60] }, [nest]);
    const prompt = promptOf(doc);
    expect(prompt["2:4:8"]).toEqual({ class_type: "Scale", inputs: { factor: 60, x: ["1", 0] } });
    expect(prompt["2:4:7"]?.inputs).toEqual({ seed: 1, steps: 50 });
    expect(prompt["3"]?.inputs.x).toEqual(["2:4:8", 0]);
  });

  test("that contain themselves, or unfold into too much, are refused", () => {
    const self = inner({ nodes: [{ id: 9, type: "sg-a", mode: 0 }] });
    expect(codes(outer({}, [self]))).toEqual(["GRAPH_SUBGRAPH_CYCLE"]);
    const bomb = Array.from({ length: 12 }, (_, i) => ({
      id: i === 0 ? "sg-a" : `l${i}`,
      nodes: Array.from({ length: 10 }, (_, k) => ({ id: k, type: `l${i + 1}`, mode: 0 })),
      links: [],
    }));
    expect(codes(outer({}, bomb))).toEqual(["WORKFLOW_TOO_LARGE"]);
    const parsed = parseWorkflow(JSON.stringify(outer({}, [self])));
    expect(parsed.ok && workflowToPrompt(parsed.workflow, new Registry([]))).toMatchObject({ issues: [{ hint: "remove that node" }] });
  });
});
