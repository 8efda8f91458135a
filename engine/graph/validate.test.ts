import { describe, expect, test } from "vitest";
import { z } from "zod";
import { nodes } from "../../nodes/index.ts";
import { defineNode, input, optional, widget } from "../node/define-node.ts";
import { Registry } from "../node/registry.ts";
import { socket } from "../node/socket.ts";
import { keysBeforeRun } from "./cache-key.ts";
import { fileReferences, plan } from "./plan.ts";
import type { Prompt } from "./prompt.ts";
import { ValidGraph } from "./valid-graph.ts";
import { MAX_FINDINGS, type ValidateResult, validate } from "./validate.ts";

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
    type: "Two",
    version: "1.0.0",
    category: "t",
    summary: "s",
    inputs: {},
    outputs: { first: IMAGE, second: IMAGE },
    cache: "pure",
    run: () => ({ first: 1, second: 2 }),
  }),
  defineNode({
    type: "Late",
    version: "1.0.0",
    category: "t",
    summary: "s",
    inputs: {},
    outputs: { STRING },
    cache: "pure",
    run: () => ({ STRING: "a.safetensors" }),
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
    const all = result.issues;
    expect(all.every((i) => (i.hint ?? "") !== "" && i.message.length > 10)).toBe(true);
    expect(all[2]?.hint).toBe("did you mean noise?");
    expect(all[9]?.hint).toBe("did you mean prefix?");
    // Nothing asks for the node of unknown type.
    expect(result.warnings).toMatchObject([{ code: "UNKNOWN_NODE_TYPE", path: ["5"], hint: "did you mean Save?" }]);
    expect(result.graph.outputs).toEqual([]);
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
    const unknown = validate({ "1": source, "2": node("Save", { image: ["1", 0] }), "3": node("Nope", {}) }, registry);
    expect(unknown.ok).toBe(true);
    expect(unknown.warnings.map((w) => `${w.code} ${w.path}`)).toEqual(["UNKNOWN_NODE_TYPE 3"]);
  });

  test("a good output runs beside bad ones; each issue names the outputs it stops, and hides no other", () => {
    const result = validate(
      {
        "1": source,
        "2": node("Save", { image: ["1", 0] }),
        "3": node("Nope", {}),
        "4": node("Blend", { a: ["3", 0], strength: 7 }),
        "5": node("Save", { image: ["4", 0], prefix: 1 }),
        "6": node("Save", { image: ["4", 0] }),
        "7": node("Save", {}),
      },
      registry,
    );
    expect(result.issues.map((i) => [i.code, ...i.path, i.outputs])).toEqual([
      ["UNKNOWN_NODE_TYPE", "3", ["5", "6"]],
      ["VALUE_BIGGER_THAN_MAX", "4", "strength", ["5", "6"]],
      ["REQUIRED_INPUT_MISSING", "7", "image", ["7"]],
    ]);
    expect(result.graph.outputs).toEqual(["2"]);
    const planned = plan(result.graph);
    expect(planned.steps.map((s) => s.id)).toEqual(["1", "2"]);
    expect(planned.skipped.map((s) => [s.id, s.type])).toEqual([
      ["5", "Save"],
      ["6", "Save"],
      ["7", "Save"],
    ]);
  });

  test("what is wrong behind the branch that a switch does not take is a warning", () => {
    const prompt = (on: boolean): Prompt => ({
      "1": node("Nope", {}),
      "2": node("Source", { name: "n", size: 0 }),
      "3": node("Blend", { a: ["1", 0], b: ["2", 0] }),
      "4": source,
      "5": node("Switch", { on, no: ["3", 0], yes: ["4", 0] }),
      "6": node("Save", { image: ["5", 0] }),
    });
    const off = validate(prompt(true), registry);
    expect(off.ok).toBe(true);
    expect(off.warnings.map((w) => w.code)).toEqual(["UNKNOWN_NODE_TYPE", "VALUE_SMALLER_THAN_MIN"]);
    expect(plan(off.graph).steps.map((s) => s.id)).toEqual(["4", "5", "6"]);
    expect(issues(prompt(false))).toEqual(["UNKNOWN_NODE_TYPE 1", "VALUE_SMALLER_THAN_MIN 2.size"]);
  });

  test("a missing file stops the outputs that need it, known or found later", () => {
    const { graph } = validate(
      {
        "1": node("Load", { file: "a" }),
        "2": node("Save", { image: ["1", 0] }),
        "3": source,
        "4": node("Save", { image: ["3", 0] }),
        "5": node("Blend", { a: ["1", 0], strength: 9 }),
        "6": node("Save", { image: ["5", 0] }),
      },
      registry,
    );
    expect(graph.outputs).toEqual(["2", "4"]);
    // The file behind a bad output is looked for too: every issue shows at once.
    expect(graph.outputsOf("1")).toEqual(["2"]);
    const left = graph.without(["1"]);
    expect(left.outputs).toEqual(["4"]);
    expect(left.skipped.map((s) => s.id)).toEqual(["6", "2"]);
  });

  test("findings are bounded, and the rest is counted; a tangle of cycles ends", () => {
    const many: Record<string, unknown> = {};
    for (let i = 0; i < 100_000; i++) many[`upload${i}`] = 1;
    const result = validate({ "1": node("Source", { name: "n", ...many }), "2": node("Save", { image: ["1", 0] }) }, registry);
    expect(result.ok).toBe(true);
    expect(result.warnings).toHaveLength(MAX_FINDINGS + 1);
    expect(result.warnings.at(-1)).toMatchObject({ code: "TOO_MANY_WARNINGS", message: "99800 more warnings are not listed" });
    const bad: Record<string, Prompt[string]> = {};
    for (let i = 0; i < 1000; i++) bad[i] = node("Save", { prefix: {}, image: 3 });
    bad.good = source;
    bad.last = node("Save", { image: ["good", 0] });
    const stopped = validate(bad, registry);
    expect(stopped.issues).toHaveLength(MAX_FINDINGS + 1);
    expect(stopped.issues.at(-1)?.code).toBe("TOO_MANY_ISSUES");
    // Issues that are not listed stop their outputs all the same.
    expect(stopped.graph.outputs).toEqual(["last"]);
    const tangle: Record<string, Prompt[string]> = {};
    for (let i = 0; i < 300; i++) {
      const links: Record<string, unknown> = { a: [String((i + 1) % 300), 0] };
      for (let j = 0; j < 30; j++) links[`image_${j}`] = [String((i * 7 + j * 11) % 300), 0];
      tangle[i] = node("Blend", links);
    }
    tangle.out = node("Save", { image: ["0", 0] });
    const cycles = validate(tangle, registry);
    expect(JSON.stringify(cycles.issues).length).toBeLessThan(100_000);
    expect(cycles.graph.outputs).toEqual([]);
  });

  test("null is no value, and no reason to take the default; as a link it is none", () => {
    const result = validate(
      { "1": node("LoadImage", { image: null }), "2": node("SaveImage", { images: ["1", 0], filename_prefix: null }) },
      new Registry(nodes),
    );
    expect(result.issues.map((i) => [i.code, ...i.path])).toEqual([
      ["INVALID_INPUT_TYPE", "1", "image"],
      ["INVALID_INPUT_TYPE", "2", "filename_prefix"],
    ]);
    expect(validate({ "1": node("SaveImage", { images: null }) }, new Registry(nodes)).issues).toMatchObject([
      { code: "REQUIRED_INPUT_MISSING", path: ["1", "images"] },
    ]);
  });

  test("a file name that leads out of the output directory is found before the run", () => {
    const check = (filename_prefix: string) =>
      validate(
        { "1": node("LoadImage", { image: "a.png" }), "2": node("SaveImage", { images: ["1", 0], filename_prefix }) },
        new Registry(nodes),
      ).issues.map((i) => i.message);
    expect(check("../x")).toEqual([expect.stringContaining("leads out of the output directory")]);
    for (const name of ["/x", "C:\\x", "\\\\host\\x"]) expect(check(name)).toEqual([expect.stringContaining("is an absolute path")]);
    expect(check(`a/${"b".repeat(201)}`)).toEqual([expect.stringContaining("more than 200 characters")]);
    for (const name of ["a\\b", "a/b..c", "%date:yyyy%/x", "x/", "ünï ☃"]) expect(check(name)).toEqual([]);
  });

  test("unknown constants are ignored with a warning", () => {
    const result = validate({ "1": node("Source", { name: "n", uplaod: "image" }), "2": node("Save", { image: ["1", 0] }) }, registry);
    expect(result.ok).toBe(true);
    expect(result.warnings.map((w) => w.path)).toEqual([["1", "uplaod"]]);
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
      "LINKED_NODE_MISSING 2.image",
    ]);
    expect(issues({ "1": node("constructor", {}), "2": node("Save", { image: ["1", 0] }) })).toEqual(["UNKNOWN_NODE_TYPE 1"]);
  });

  test("a chain of 2,000 nodes needs no stack", () => {
    const chain: Record<string, { class_type: string; inputs: Record<string, unknown> }> = { "0": source };
    for (let i = 1; i < 2000; i++) chain[i] = node("Blend", { a: [String(i - 1), 0] });
    chain["2000"] = node("Save", { image: ["1999", 0] });
    const steps = plan(graphOf(chain)).steps;
    expect(steps).toHaveLength(2001);
    expect(steps[2000]?.id).toBe("2000");
    expect(new Set(keysBeforeRun(plan(graphOf(chain)), registry).values()).size).toBe(2001);
  });
});

describe("plan", () => {
  const two: Prompt = {
    "1": source,
    "2": node("Blend", { a: ["1", 0], image_10: ["1", 0], image_2: ["1", 0] }),
    "3": node("Save", { image: ["2", 0] }),
  };
  const keys = (prompt: Prompt, fingerprints?: ReadonlyMap<string, string>) => [
    ...keysBeforeRun(plan(graphOf(prompt), fingerprints && { fingerprints }), registry).values(),
  ];

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

  test("which output of a node a link asks for is part of the key", () => {
    const prompt = (slot: number): Prompt => ({
      "1": node("Two"),
      "2": node("Blend", { a: ["1", slot], image_1: ["1", 0] }),
      "3": node("Save", { image: ["2", 0] }),
    });
    expect(keys(prompt(0))[0]).toBe(keys(prompt(1))[0]);
    expect(keys(prompt(0))[1]).not.toBe(keys(prompt(1))[1]);
    const variadic: Prompt = { ...prompt(0), "2": node("Blend", { a: ["1", 0], image_1: ["1", 1] }) };
    expect(keys(variadic)[1]).not.toBe(keys(prompt(0))[1]);
  });

  test("a pinned node keeps its key, what only it asks for is not in the plan, and only what lies below it runs", () => {
    const prompt: Prompt = { ...two, "4": node("Save", { image: ["1", 0] }), "5": node("Save", { image: ["2", 0], prefix: "b" }) };
    const pinned = new Map([["2", "f".repeat(64)]]);
    const planned = plan(graphOf(prompt), { pinned });
    expect(planned.steps.map((s) => s.id)).toEqual(["2", "3", "5"]);
    const pinnedKeys = keysBeforeRun(planned, registry);
    expect(pinnedKeys.get("2")).toBe("f".repeat(64));
    expect(pinnedKeys.get("3")).not.toBe(keysBeforeRun(plan(graphOf(prompt)), registry).get("3"));
    expect(plan(graphOf(prompt), { pinned, targets: ["3", "4"] }).steps.map((s) => s.id)).toEqual(["2", "3", "1", "4"]);
    expect(() => plan(graphOf(two), { pinned: new Map([["9", "a"]]) })).toThrow(expect.objectContaining({ code: "PIN_UNKNOWN" }));
  });

  test("the key of a step whose file comes over a link is not known before the run, nor is the key of what depends on it", () => {
    const prompt: Prompt = {
      "0": node("Late"),
      "1": node("Load", { file: ["0", 0] }),
      "2": node("Save", { image: ["1", 0] }),
    };
    const known = keysBeforeRun(plan(graphOf(prompt)), registry);
    expect([known.get("0") === undefined, known.get("1"), known.get("2")]).toEqual([false, undefined, undefined]);
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
