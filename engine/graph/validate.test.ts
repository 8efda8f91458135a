import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineNode, input, optional, widget } from "../node/define-node.ts";
import { Registry } from "../node/registry.ts";
import { socket } from "../node/socket.ts";
import { fileReferences, plan } from "./plan.ts";
import type { Prompt } from "./prompt.ts";
import { ValidGraph } from "./valid-graph.ts";
import { type ValidateResult, validate } from "./validate.ts";

const IMAGE = socket<number>("IMAGE");
const INT = socket<number>("INT");
const STRING = socket<string>("STRING");
const ANY = socket<unknown>("*");

const registry = new Registry([
  defineNode({
    type: "Source",
    version: "1.0.0",
    category: "t",
    summary: "s",
    inputs: {
      size: widget(z.int().min(1).max(100).default(8)),
      seed: widget(
        z
          .bigint()
          .min(0n)
          .max(2n ** 64n - 1n)
          .default(0n),
      ),
      kind: widget(z.enum(["noise", "white", "black"]).default("noise")),
      flag: widget(z.boolean().default(false)),
      name: widget(z.string()),
    },
    outputs: { IMAGE, INT },
    cache: "seeded",
    check: ({ size, kind }) => (size === 13 && kind === "white" ? [{ input: "size", message: "13 is never white", hint: "use 14" }] : []),
    run: ({ size }) => ({ IMAGE: size, INT: size }),
  }),
  defineNode({
    type: "Blend",
    version: "1.0.0",
    category: "t",
    summary: "s",
    inputs: { a: input(IMAGE), b: optional(IMAGE), strength: widget(z.number().min(0).max(1).default(0.5)) },
    outputs: { IMAGE },
    cache: "pure",
    variadic: { prefix: "image_", socket: IMAGE },
    run: ({ a }) => ({ IMAGE: a }),
  }),
  defineNode({
    type: "Load",
    version: "1.0.0",
    category: "t",
    summary: "s",
    inputs: { file: widget(z.string(), { file: { kind: "model", folder: "vae" } }) },
    outputs: { IMAGE },
    cache: "pure",
    run: () => ({ IMAGE: 1 }),
  }),
  defineNode({
    type: "Clock",
    version: "1.0.0",
    category: "t",
    summary: "s",
    inputs: {},
    outputs: { IMAGE },
    cache: "never",
    run: () => ({ IMAGE: 1 }),
  }),
  defineNode({
    type: "Text",
    version: "1.0.0",
    category: "t",
    summary: "s",
    inputs: { value: widget(z.string().default("")) },
    outputs: { STRING },
    cache: "pure",
    passes: () => "value",
    run: ({ value }) => ({ STRING: value }),
  }),
  defineNode({
    type: "Switch",
    version: "1.0.0",
    category: "t",
    summary: "s",
    inputs: { on: widget(z.boolean()), no: optional(ANY), yes: optional(ANY) },
    outputs: { out: ANY },
    cache: "pure",
    passes: ({ on }) => (on === undefined ? undefined : on ? "yes" : "no"),
    run: ({ on, no, yes }) => ({ out: on ? yes : no }),
  }),
  defineNode({
    type: "Save",
    version: "1.0.0",
    category: "t",
    summary: "s",
    inputs: { image: input(IMAGE), prefix: widget(z.string().default("out")) },
    outputs: {},
    cache: "pure",
    isOutput: true,
    run: () => ({}),
  }),
]);

const node = (class_type: string, inputs: Record<string, unknown> = {}) => ({ class_type, inputs });
const issuesOf = (result: ValidateResult): string[] => (result.ok ? [] : result.issues.map((i) => `${i.code} ${i.path.join(".")}`));
const issues = (prompt: Prompt): string[] => issuesOf(validate(prompt, registry));
const graphOf = (prompt: Prompt): ValidGraph => {
  const result = validate(prompt, registry);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.graph;
};
const source = node("Source", { name: "n" });

describe("validate", () => {
  test("reports every issue at once, each with node, input and a hint", () => {
    const result = validate(
      {
        "1": node("Source", { size: 0, seed: -1, kind: "nois", flag: "maybe" }),
        "2": node("Blend", { a: ["1", 1], b: ["1", 7], strength: 2, image_1: ["99", 0] }),
        "3": node("Save", { image: ["2", 0], prefx: "x" }),
        "4": node("Save", { image: 5 }),
        "5": node("Svae", {}),
        "6": node("Save", {}),
      },
      registry,
    );
    expect(issuesOf(result)).toEqual([
      "UNKNOWN_NODE_TYPE 5",
      "VALUE_SMALLER_THAN_MIN 1.size",
      "VALUE_SMALLER_THAN_MIN 1.seed",
      "VALUE_NOT_IN_LIST 1.kind",
      "INVALID_INPUT_TYPE 1.flag",
      "REQUIRED_INPUT_MISSING 1.name",
      "RETURN_TYPE_MISMATCH 2.a",
      "LINKED_SLOT_MISSING 2.b",
      "VALUE_BIGGER_THAN_MAX 2.strength",
      "LINKED_NODE_MISSING 2.image_1",
      "UNKNOWN_INPUT 3.prefx",
      "BAD_LINKED_INPUT 4.image",
      "REQUIRED_INPUT_MISSING 6.image",
    ]);
    const all = result.ok ? [] : result.issues;
    expect(all.every((i) => (i.hint ?? "") !== "" && i.message.length > 10)).toBe(true);
    expect(all[0]?.hint).toBe("did you mean Save?");
    expect(all[3]?.hint).toBe("did you mean noise?");
    expect(all[10]?.hint).toBe("did you mean prefix?");
  });

  test("a valid prompt becomes a ValidGraph with parsed values and defaults; nothing else is one", () => {
    const graph = graphOf({
      "1": node("Source", { name: 7, size: "5", seed: 18446744073709551615n, flag: "false" }),
      "2": node("Save", { image: ["1", 0] }),
    });
    expect(ValidGraph.is(graph)).toBe(true);
    expect(ValidGraph.is({ ...graph })).toBe(false);
    expect(graph.nodes.get("1")?.widgets).toEqual({ size: 5, seed: 18446744073709551615n, kind: "noise", flag: false, name: "7" });
    expect(graph.nodes.get("2")?.widgets).toEqual({ prefix: "out" });
    expect(graph.nodes.get("2")?.links.get("image")).toEqual(["1", 0]);
  });

  test("no outputs; cycles name their path; a node of its own check", () => {
    expect(issues({ "1": source })).toEqual(["PROMPT_NO_OUTPUTS "]);
    const cycle = validate(
      { "1": node("Blend", { a: ["2", 0] }), "2": node("Blend", { a: ["1", 0] }), "3": node("Save", { image: ["1", 0] }) },
      registry,
    );
    expect(issuesOf(cycle)).toEqual(["DEPENDENCY_CYCLE 1"]);
    expect(cycle.ok ? "" : cycle.issues[0]?.message).toContain("1 (Blend) → 2 (Blend) → 1 (Blend)");
    expect(issues({ "1": node("Blend", { a: ["1", 0] }), "3": node("Save", { image: ["1", 0] }) })).toEqual(["DEPENDENCY_CYCLE 1"]);
    expect(issues({ "1": node("Source", { name: "n", size: 13, kind: "white" }), "3": node("Save", { image: ["1", 0] }) })).toEqual([
      "CUSTOM_VALIDATION_FAILED 1.size",
    ]);
  });

  test("nodes that no output needs only have to exist", () => {
    expect(issues({ "1": source, "2": node("Save", { image: ["1", 0] }), "3": node("Blend", {}) })).toEqual([]);
    expect(issues({ "1": source, "2": node("Save", { image: ["1", 0] }), "3": node("Nope", {}) })).toEqual(["UNKNOWN_NODE_TYPE 3"]);
  });

  test("unknown constants are ignored with a warning", () => {
    const result = validate({ "1": node("Source", { name: "n", upload: "image" }), "2": node("Save", { image: ["1", 0] }) }, registry);
    expect(result.ok).toBe(true);
    expect(result.warnings.map((w) => w.path)).toEqual([["1", "upload"]]);
  });

  test("values over links: inlined where certain, refused where certainly wrong", () => {
    const prompt = (value: string): Prompt => ({
      "0": node("Text", { value }),
      "1": node("Source", { name: "n", kind: ["0", 0] }),
      "2": node("Save", { image: ["1", 0] }),
    });
    expect(graphOf(prompt("white")).nodes.get("1")?.widgets).toMatchObject({ kind: "white" });
    expect(plan(graphOf(prompt("white"))).steps.map((s) => s.id)).toEqual(["1", "2"]);
    expect(issues(prompt("green"))).toEqual(["VALUE_NOT_IN_LIST 1.kind"]);
    const linked = graphOf({ "0": source, "1": node("Source", { name: "n", size: ["0", 1] }), "2": node("Save", { image: ["1", 0] }) });
    expect(plan(linked).steps[1]?.links).toEqual({ size: { id: "0", slot: 1, output: "INT" } });
    expect(issues({ "0": source, "1": node("Source", { name: "n", flag: ["0", 1] }), "2": node("Save", { image: ["1", 0] }) })).toEqual([
      "RETURN_TYPE_MISMATCH 1.flag",
    ]);
  });

  test("ids and names that JavaScript's objects know", () => {
    const prompt: Prompt = JSON.parse(
      '{"constructor":{"class_type":"Source","inputs":{"name":"n","toString":["hasOwnProperty",0]}},"2":{"class_type":"Save","inputs":{"image":["constructor",0]}}}',
    );
    expect(issues(prompt)).toEqual(["UNKNOWN_INPUT constructor.toString"]);
    expect(issues({ "1": node("constructor", {}), "2": node("Save", { image: ["toString", 0] }) })).toEqual([
      "UNKNOWN_NODE_TYPE 1",
      "LINKED_NODE_MISSING 2.image",
    ]);
  });

  test("a chain of 2,000 nodes needs no stack", () => {
    const chain: Record<string, { class_type: string; inputs: Record<string, unknown> }> = { "0": source };
    for (let i = 1; i < 2000; i++) chain[i] = node("Blend", { a: [String(i - 1), 0] });
    chain["2000"] = node("Save", { image: ["1999", 0] });
    const steps = plan(graphOf(chain)).steps;
    expect(steps).toHaveLength(2001);
    expect(steps[2000]?.id).toBe("2000");
    expect(new Set(steps.map((s) => s.key)).size).toBe(2001);
  });
});

describe("plan", () => {
  const two: Prompt = {
    "1": source,
    "2": node("Blend", { a: ["1", 0], image_10: ["1", 0], image_2: ["1", 0] }),
    "3": node("Save", { image: ["2", 0] }),
  };
  const keys = (prompt: Prompt, fingerprints?: ReadonlyMap<string, string>) =>
    plan(graphOf(prompt), fingerprints && { fingerprints }).steps.map((s) => s.key);

  test("same graph, same bytes; ids and order in the file do not enter the keys, everything else does", () => {
    expect(JSON.stringify(plan(graphOf(two)).steps.map((s) => ({ ...s, widgets: String(s.widgets) })))).toBe(
      JSON.stringify(plan(graphOf(JSON.parse(JSON.stringify(two)))).steps.map((s) => ({ ...s, widgets: String(s.widgets) }))),
    );
    const renamed: Prompt = {
      z: node("Save", { image: ["y", 0] }),
      y: node("Blend", { image_2: ["x", 0], image_10: ["x", 0], a: ["x", 0] }),
      x: source,
    };
    expect(keys(renamed)).toEqual(keys(two));
    expect(Object.keys(plan(graphOf(two)).steps[1]?.extra ?? {})).toEqual(["image_2", "image_10"]);
    const changed = keys({ ...two, "1": node("Source", { name: "n", seed: 1 }) });
    expect(changed.every((k, i) => k !== keys(two)[i])).toBe(true);
    const blend = keys({ ...two, "2": node("Blend", { a: ["1", 0], b: ["1", 0] }) });
    expect(blend[0]).toBe(keys(two)[0]);
    expect(blend[1]).not.toBe(keys(two)[1]);
  });

  test("targets keep only what they need", () => {
    const prompt = { ...two, "4": node("Clock"), "5": node("Save", { image: ["4", 0] }) };
    expect(plan(graphOf(prompt)).steps.map((s) => s.id)).toEqual(["1", "2", "3", "4", "5"]);
    expect(plan(graphOf(prompt), { targets: ["5"] }).steps.map((s) => s.id)).toEqual(["4", "5"]);
    const result = validate(prompt, registry, { targets: ["5", "2"] });
    expect(issuesOf(result)).toEqual(["TARGET_NOT_OUTPUT 2"]);
  });

  test("a node that must run each time, and all behind it, have no key", () => {
    expect(keys({ "4": node("Clock"), "5": node("Save", { image: ["4", 0] }) })).toEqual([null, null]);
  });

  test("files enter by fingerprint; an unknown file is never cached", () => {
    const prompt: Prompt = { "1": node("Load", { file: "a.safetensors" }), "2": node("Save", { image: ["1", 0] }) };
    expect(fileReferences(graphOf(prompt))).toEqual([
      { node: "1", input: "file", kind: { kind: "model", folder: "vae" }, name: "a.safetensors" },
    ]);
    expect(keys(prompt)).toEqual([null, null]);
    const a = keys(prompt, new Map([["model:vae/a.safetensors", "1"]]));
    const b = keys(prompt, new Map([["model:vae/a.safetensors", "2"]]));
    expect(a).not.toContain(null);
    expect(a[0]).not.toBe(b[0]);
    expect(a[1]).not.toBe(b[1]);
  });

  test("a switch whose position is known runs one branch, and its key knows only that one", () => {
    const prompt = (on: unknown, no: number): Prompt => ({
      b: node("Text", { value: on === true ? "x" : "y" }),
      "1": node("Source", { name: "no", size: no }),
      "2": node("Source", { name: "yes" }),
      "3": node("Switch", { on, no: ["1", 0], yes: ["2", 0] }),
      "4": node("Save", { image: ["3", 0] }),
    });
    expect(plan(graphOf(prompt(true, 1))).steps.map((s) => s.id)).toEqual(["2", "3", "4"]);
    expect(plan(graphOf(prompt(false, 1))).steps.map((s) => s.id)).toEqual(["1", "3", "4"]);
    expect(keys(prompt(true, 1))).toEqual(keys(prompt(true, 2)));
    expect(keys(prompt(false, 1))).not.toEqual(keys(prompt(false, 2)));
  });
});
