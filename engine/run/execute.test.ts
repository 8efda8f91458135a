import { expect, test } from "vitest";
import { z } from "zod";
import { fakeContext } from "../../test/fake-context.ts";
import { isCollected } from "../../test/is-collected.ts";
import { memoryWeights } from "../../test/memory-weights.ts";
import { AppError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { type RunEvent, runEvent } from "../graph/events.ts";
import type { OpenedFile } from "../graph/opened-file.ts";
import { plan } from "../graph/plan.ts";
import type { Prompt } from "../graph/prompt.ts";
import { validate } from "../graph/validate.ts";
import type { NodeContext } from "../node/context.ts";
import { type AnyNode, defineNode, input, optional, widget } from "../node/define-node.ts";
import { holding } from "../node/holding.ts";
import { Registry } from "../node/registry.ts";
import { socket } from "../node/socket.ts";
import { dryRun } from "./dry-run.ts";
import { type ExecuteOptions, execute } from "./execute.ts";
import { union } from "./opened-files.ts";
import { type AboutResult, type Result, ResultCache, type StoredResults } from "./result-cache.ts";
import type { World } from "./world.ts";

const NUMBER = socket<number>("NUMBER");
const STRING = socket<string>("STRING");
const MODULE = socket<{ readonly apply: (x: number) => number }>("MODULE");

/** Toy nodes that write down when they run. */
function toys(ran: string[], hooks: { readonly before?: (id: string) => void } = {}) {
  const note = (id: string): void => {
    ran.push(id);
    hooks.before?.(id);
  };
  const nodes: AnyNode[] = [
    defineNode({
      type: "Constant",
      version: "1.0.0",
      category: "toy",
      summary: "A number.",
      inputs: { value: widget(z.number().default(0)) },
      outputs: { NUMBER },
      cache: "pure",
      run: ({ value }, ctx) => {
        note(ctx.nodeId);
        return { NUMBER: value };
      },
    }),
    defineNode({
      type: "Add",
      version: "1.0.0",
      category: "toy",
      summary: "Sum.",
      inputs: { a: input(NUMBER), b: optional(NUMBER), extra: widget(z.number().default(0)) },
      outputs: { NUMBER },
      cache: "pure",
      variadic: { prefix: "more_", socket: NUMBER },
      run: ({ a, b, extra }, ctx, more) => {
        note(ctx.nodeId);
        const rest = Object.values(more).reduce<number>((sum, v) => sum + (typeof v === "number" ? v : 0), 0);
        const sum = a + (b ?? 0) + extra + rest;
        ctx.score("sum", sum);
        ctx.progress(1, 1);
        return { NUMBER: sum };
      },
    }),
    defineNode({
      type: "Load",
      version: "1.0.0",
      category: "toy",
      summary: "A module.",
      inputs: {},
      outputs: { MODULE },
      cache: "pure",
      isCheap: true,
      run: (_i, ctx) => {
        note(ctx.nodeId);
        return { MODULE: { apply: (x) => 2 * x } };
      },
    }),
    defineNode({
      type: "Apply",
      version: "1.0.0",
      category: "toy",
      summary: "Applies a module.",
      inputs: { module: input(MODULE), x: widget(z.number().default(1)) },
      outputs: { NUMBER },
      cache: "pure",
      dryRun: ({ module }) => ({ estimate: { steps: module ? 1 : 0 } }),
      run: ({ module, x }, ctx) => {
        note(ctx.nodeId);
        return { NUMBER: module.apply(x) };
      },
    }),
    defineNode({
      type: "Fail",
      version: "1.0.0",
      category: "toy",
      summary: "Fails.",
      inputs: { a: input(NUMBER) },
      outputs: { NUMBER },
      cache: "pure",
      dryRun: () => {
        throw new AppError("TOY", "this cannot work", { hint: "don't" });
      },
      run: (_i, ctx) => {
        note(ctx.nodeId);
        throw new AppError("TOY_FAILED", "the toy failed", { hint: "try another toy" });
      },
    }),
    defineNode({
      type: "Broken",
      version: "1.0.0",
      category: "toy",
      summary: "Has a fault that nobody knows of.",
      inputs: {},
      outputs: { NUMBER },
      cache: "pure",
      run: () => {
        throw new TypeError("x is not a function");
      },
    }),
    defineNode({
      type: "Forgetful",
      version: "1.0.0",
      category: "toy",
      summary: "Leaves its first output out.",
      inputs: {},
      outputs: { NUMBER, other: NUMBER },
      cache: "pure",
      // A node written in JavaScript could do this.
      run: () => JSON.parse('{"other": 1}'),
    }),
    defineNode({
      type: "Picture",
      version: "1.0.0",
      category: "toy",
      summary: "A file of the input folder.",
      inputs: { file: widget(z.string(), { file: { kind: "input" } }) },
      outputs: { NUMBER },
      cache: "pure",
      run: () => ({ NUMBER: 1 }),
    }),
    defineNode({
      type: "Warn",
      version: "1.0.0",
      category: "toy",
      summary: "Warns about its input.",
      inputs: { a: input(NUMBER), b: optional(NUMBER) },
      outputs: { NUMBER },
      cache: "pure",
      run: ({ a }, ctx) => {
        ctx.log("info", "looking");
        ctx.log("warn", "nobody there", "a");
        return { NUMBER: a };
      },
    }),
    defineNode({
      type: "Name",
      version: "1.0.0",
      category: "toy",
      summary: "Makes a file's name.",
      inputs: { value: widget(z.string().default("a")) },
      outputs: { STRING },
      cache: "pure",
      run: ({ value }, ctx) => {
        note(ctx.nodeId);
        return { STRING: value };
      },
    }),
    defineNode({
      type: "Count",
      version: "1.0.0",
      category: "toy",
      summary: "A number typed or linked.",
      inputs: { n: widget(z.enum(["7", "8"]).transform(Number)) },
      outputs: { NUMBER },
      cache: "pure",
      run: ({ n }) => ({ NUMBER: n }),
    }),
    defineNode({
      type: "Read",
      version: "1.0.0",
      category: "toy",
      summary: "Reads a file that may be named over a link.",
      inputs: { file: widget(z.string(), { file: { kind: "input" } }) },
      outputs: { NUMBER },
      cache: "pure",
      run: (_i, ctx) => {
        note(ctx.nodeId);
        return { NUMBER: 1 };
      },
    }),
    defineNode({
      type: "Preview",
      version: "1.0.0",
      category: "toy",
      summary: "Shows how far it is.",
      inputs: { bytes: widget(z.int().default(3)) },
      outputs: { NUMBER },
      cache: "pure",
      run: ({ bytes }, ctx) => {
        ctx.progress(1, 1, "now", { mime: "image/png", bytes: new Uint8Array(bytes) });
        ctx.progress(1, 1, "now", { mime: "image/png", bytes: new Uint8Array(bytes) });
        return { NUMBER: bytes };
      },
    }),
    defineNode({
      type: "Open",
      version: "1.0.0",
      category: "toy",
      summary: "Opens more files than its widget names.",
      inputs: { file: widget(z.string(), { file: { kind: "model", folder: "loras" } }) },
      outputs: { NUMBER },
      cache: "pure",
      async run({ file }, ctx) {
        note(ctx.nodeId);
        const weights = await ctx.models.open("loras", file);
        await weights.text("vocab.json");
        await ctx.models.bytes("loras", "absent").catch(() => undefined);
        await ctx.readInput("listed.png");
        await ctx.models.findExternal("onnx", "m", [{ location: "data", bytes: 1 }]);
        return { NUMBER: 1 };
      },
    }),
    defineNode({
      type: "Show",
      version: "1.0.0",
      category: "toy",
      summary: "Shows a number.",
      inputs: { a: input(NUMBER) },
      outputs: {},
      cache: "pure",
      isOutput: true,
      run: ({ a }, ctx) => {
        note(ctx.nodeId);
        ctx.show({ text: [a] });
        return {};
      },
    }),
  ];
  return new Registry(nodes);
}

function world(): World {
  const fake = fakeContext();
  return { ...fake, compute: () => fake.compute, now: () => performance.now(), clock: () => 0, identify: async () => null };
}

function planOf(prompt: Prompt, registry: Registry) {
  const checked = validate(prompt, registry);
  if (!checked.ok) throw new Error(JSON.stringify(checked.issues));
  return plan(checked.graph);
}

/** Stored results in memory: what a disk would keep. */
function aboutOf(result: Result | undefined): AboutResult | undefined {
  return result && { effects: result.effects, opened: result.opened, hasOutputs: result.outputs !== null };
}

class FakeStore implements StoredResults {
  readonly kept = new Map<string, Result>();
  async peek(key: string) {
    return aboutOf(this.kept.get(key));
  }
  async read(key: string) {
    return this.kept.get(key);
  }
  async write(key: string, { outputs, effects, opened }: Result) {
    const plain =
      JSON.stringify(outputs) === undefined || Object.values(outputs ?? {}).every((v) => typeof v === "number" || typeof v === "string");
    this.kept.set(key, { outputs: plain ? outputs : null, effects, opened });
  }
}

function quietOptions(registry: Registry<AnyNode>) {
  return { run: "r", registry, world: world(), memory: new ResultCache(1e6), signal: new AbortController().signal };
}

async function run(prompt: Prompt, registry: Registry<AnyNode>, options: Partial<ExecuteOptions> = {}) {
  const events: RunEvent[] = [];
  const last = await execute({
    run: "r",
    plan: planOf(prompt, registry),
    registry,
    world: world(),
    memory: new ResultCache(1e6),
    signal: new AbortController().signal,
    emit: (e) => events.push(runEvent.parse(e)),
    ...options,
  });
  expect(events.map((e) => e.seq)).toEqual(events.map((_, i) => i));
  expect(events.at(-1)).toEqual(last);
  return { events, last, kinds: events.map((e) => ("node" in e ? `${e.kind} ${e.node}` : e.kind)) };
}

const CHAIN: Prompt = {
  1: { class_type: "Constant", inputs: { value: 2 } },
  2: { class_type: "Add", inputs: { a: ["1", 0], b: ["1", 0], extra: 1, more_2: ["1", 0] } },
  3: { class_type: "Show", inputs: { a: ["2", 0] } },
};

test("a run tells each step, and the second one comes from memory with the same scores", async () => {
  const ran: string[] = [];
  const registry = toys(ran);
  const memory = new ResultCache(1e6);
  const first = await run(CHAIN, registry, { memory });
  expect(first.kinds).toEqual([
    "run.started",
    "node.started 1",
    "node.finished 1",
    "node.started 2",
    "node.scored 2",
    "node.progress 2",
    "node.finished 2",
    "node.started 3",
    "node.shown 3",
    "node.finished 3",
    "run.finished",
  ]);
  expect(first.events.find((e) => e.kind === "node.scored")).toMatchObject({ name: "sum", value: 7 });
  const second = await run(CHAIN, registry, { memory });
  expect(ran).toEqual(["1", "2", "3"]);
  expect(second.kinds).toEqual([
    "run.started",
    "node.cached 1",
    "node.scored 2",
    "node.cached 2",
    "node.shown 3",
    "node.cached 3",
    "run.finished",
  ]);
});

test("only what depends on a change runs again", async () => {
  const ran: string[] = [];
  const registry = toys(ran);
  const memory = new ResultCache(1e6);
  await run(CHAIN, registry, { memory });
  await run({ ...CHAIN, 2: { class_type: "Add", inputs: { a: ["1", 0], extra: 5 } } }, registry, { memory });
  expect(ran).toEqual(["1", "2", "3", "2", "3"]);
});

test("a failure names node, code and hint, and the next run continues after what was finished", async () => {
  const ran: string[] = [];
  const registry = toys(ran);
  const memory = new ResultCache(1e6);
  const prompt = { ...CHAIN, 4: { class_type: "Fail", inputs: { a: ["2", 0] } }, 3: { class_type: "Show", inputs: { a: ["4", 0] } } };
  const { last } = await run(prompt, registry, { memory });
  expect(last).toMatchObject({
    kind: "run.failed",
    error: { code: "TOY_FAILED", message: "the toy failed", hint: "try another toy", node: "4", type: "Fail" },
  });
  await run(prompt, registry, { memory });
  expect(ran).toEqual(["1", "2", "4", "4"]);
});

test("a fault that nobody expected says where in the program it is; an error that names its remedy does not", async () => {
  const failed = async (type: string) => {
    const prompt = { 1: { class_type: type, inputs: {} }, 2: { class_type: "Show", inputs: { a: ["1", 0] } } };
    const { last } = await run(prompt, toys([]));
    return last;
  };
  expect(await failed("Broken")).toMatchObject({
    kind: "run.failed",
    error: {
      code: "NODE_FAILED",
      message: "x is not a function",
      node: "1",
      details: { trace: expect.stringMatching(/execute\.test\.ts:\d+/) },
    },
  });
  expect(await failed("Forgetful")).not.toHaveProperty("error.details");
});

test("two equal nodes run once", async () => {
  const ran: string[] = [];
  const { kinds } = await run(
    { ...CHAIN, 5: { class_type: "Constant", inputs: { value: 2 } }, 2: { class_type: "Add", inputs: { a: ["1", 0], b: ["5", 0] } } },
    toys(ran),
  );
  expect(ran).toEqual(["1", "2", "3"]);
  expect(kinds).toContain("node.cached 5");
});

test("an output that a node left out is an error where a link asks for it", async () => {
  const asking = (slot: number): Prompt => ({
    1: { class_type: "Forgetful", inputs: {} },
    2: { class_type: "Show", inputs: { a: ["1", slot] } },
  });
  const { last } = await run(asking(0), toys([]));
  expect(last).toMatchObject({ kind: "run.failed", error: { code: "NODE_OUTPUT_MISSING", node: "2" } });
  expect((await run(asking(1), toys([]))).last).toMatchObject({ kind: "run.finished" });
});

test("another process continues from what is stored; a module that nothing needs is not made a second time", async () => {
  const stored = new FakeStore();
  const prompt: Prompt = {
    1: { class_type: "Load", inputs: {} },
    2: { class_type: "Apply", inputs: { module: ["1", 0], x: 4 } },
    3: { class_type: "Show", inputs: { a: ["2", 0] } },
  };
  const ran: string[] = [];
  await run(prompt, toys(ran), { stored });
  const more: Prompt = { ...prompt, 4: { class_type: "Add", inputs: { a: ["2", 0] } }, 5: { class_type: "Show", inputs: { a: ["4", 0] } } };
  const again: string[] = [];
  const { kinds, events } = await run(more, toys(again), { stored });
  expect(again).toEqual(["4", "5"]);
  expect(kinds).toContain("node.cached 1");
  expect(events.find((e) => e.kind === "node.shown" && e.node === "5")).toMatchObject({ ui: { text: [8] } });
  // A consumer of the module itself makes it run again, whatever is stored about it.
  const third: string[] = [];
  await run({ ...prompt, 2: { class_type: "Apply", inputs: { module: ["1", 0], x: 5 } } }, toys(third), { stored });
  expect(third).toEqual(["1", "2", "3"]);
});

test("cancel stops at every node boundary; what was finished stays", async () => {
  for (let boundary = 0; boundary <= 3; boundary++) {
    const controller = new AbortController();
    const ran: string[] = [];
    const registry = toys(ran, {
      before: () => {
        if (ran.length === boundary) controller.abort(new AppError("CANCELLED", "cancelled"));
      },
    });
    if (boundary === 0) controller.abort(new AppError("CANCELLED", "cancelled"));
    const memory = new ResultCache(1e6);
    const { last } = await run(CHAIN, registry, { memory, signal: controller.signal });
    // The second node reports progress and stops inside; the run is over before the third one's end can be stopped.
    expect(last.kind).toBe(boundary === 3 ? "run.finished" : "run.cancelled");
    const resumed: string[] = [];
    expect((await run(CHAIN, toys(resumed), { memory })).last.kind).toBe("run.finished");
    expect(resumed).toEqual([["1", "2", "3"], ["2", "3"], ["2", "3"], []][boundary]);
  }
});

test("a flag in shared memory cancels through poll", async () => {
  const controller = new AbortController();
  let polls = 0;
  const { last } = await run(CHAIN, toys([]), {
    signal: controller.signal,
    poll: () => {
      if (++polls === 3) controller.abort(new AppError("CANCELLED", "cancelled"));
    },
  });
  expect(last).toMatchObject({ kind: "run.cancelled" });
  expect(last).not.toHaveProperty("error");
});

test("a step that only kept results need is not run, though its own result is gone", async () => {
  const stored = new FakeStore();
  const { events } = await run(CHAIN, toys([]), { stored });
  for (const event of events) if (event.kind === "node.finished" && event.node === "1" && event.key) stored.kept.delete(event.key);
  const ran: string[] = [];
  const { kinds } = await run(CHAIN, toys(ran), { stored });
  expect(ran).toEqual([]);
  expect(kinds).toContain("node.cached 1");
});

test("what a node saves is told, and how it ends when the run is cancelled", async () => {
  const saver = (stop?: "finish") =>
    new Registry<AnyNode>([
      defineNode({
        type: "Saver",
        version: "1.0.0",
        category: "toy",
        summary: "Saves twice.",
        inputs: {},
        outputs: {},
        cache: "pure",
        isOutput: true,
        ...(stop && { stop }),
        async run(_i, ctx) {
          await ctx.save("a/b", "png", new Uint8Array(1), "temp");
          await ctx.saveAs("c.json", new Uint8Array(1));
          return {};
        },
      }),
    ]);
  const file = { filename: "b_00001_.png", subfolder: "a", type: "temp" as const };
  const other = { filename: "c.json", subfolder: "", type: "output" as const };
  const saving = { ...world(), save: async () => file, saveAs: async () => other };
  const prompt: Prompt = { 1: { class_type: "Saver", inputs: {} } };
  const { events } = await run(prompt, saver("finish"), { world: saving });
  expect(events.filter((e) => e.kind === "node.saved")).toMatchObject([
    { node: "1", type: "Saver", file },
    { node: "1", type: "Saver", file: other },
  ]);
  expect(events.find((e) => e.kind === "node.started")).toMatchObject({ stop: "finish" });
  const plain = await run(prompt, saver(), { world: saving });
  expect(plain.events.find((e) => e.kind === "node.started")).not.toHaveProperty("stop");
});

test("a result too large for the cache takes the place of none, and leaves none of its key", () => {
  const cache = new ResultCache(1000);
  const result = (n: number): Result => ({ outputs: { a: new Uint8Array(n) }, effects: [], opened: [] });
  cache.set("a", result(100));
  cache.set("b", result(100));
  cache.set("a", result(5000));
  expect([cache.get("a"), cache.get("b")?.outputs]).toEqual([undefined, { a: new Uint8Array(100) }]);
  const before = cache.bytes;
  cache.set("b", result(100));
  expect(cache.bytes).toBe(before);
  // A buffer that was dropped weighs again when it comes back.
  const again = result(100);
  for (const weight of [before, before]) {
    cache.delete("b");
    expect(cache.bytes).toBe(0);
    cache.set("b", again);
    expect(cache.bytes).toBe(weight);
  }
});

test("the memory cache keeps within its budget, least recently used first out", () => {
  const cache = new ResultCache(3000);
  const result = (n: number): Result => ({ outputs: { a: new Uint8Array(n) }, effects: [], opened: [] });
  cache.set("a", result(700));
  cache.set("b", result(700));
  cache.set("c", result(700));
  expect(cache.get("a")).toBeDefined();
  cache.set("d", result(700));
  expect([cache.get("a"), cache.get("b"), cache.get("c"), cache.get("d")].map((r) => r !== undefined)).toEqual([true, false, true, true]);
  cache.set("big", result(5000));
  expect(cache.get("big")).toBeUndefined();
  expect(cache.bytes).toBeLessThanOrEqual(3000);
});

test("a value that arrives over a link goes through its widget: parsed, refused by name, and told", async () => {
  const prompt = (value: string): Prompt => ({
    1: { class_type: "Name", inputs: { value } },
    2: { class_type: "Count", inputs: { n: ["1", 0] } },
    3: { class_type: "Show", inputs: { a: ["2", 0] } },
  });
  const { events } = await run(prompt("7"), toys([]));
  expect(events.find((e) => e.kind === "node.shown")).toMatchObject({ ui: { text: [7] } });
  expect(events.find((e) => e.kind === "node.started" && e.node === "2")).toMatchObject({ linked: { n: 7 } });
  const { last } = await run(prompt("700"), toys([]));
  expect(last).toMatchObject({
    kind: "run.failed",
    error: {
      code: "VALUE_NOT_IN_LIST",
      node: "2",
      message: expect.stringMatching(/n: "700".*it comes from node 1/),
      hint: "choose one of 7, 8",
    },
  });
});

test("a step without outputs that is known from disk is not run again, and tells what it told", async () => {
  const stored = new FakeStore();
  const ran: string[] = [];
  await run(CHAIN, toys(ran), { stored });
  const again = await run(CHAIN, toys(ran), { stored });
  expect(ran).toEqual(["1", "2", "3"]);
  expect(again.kinds).toContain("node.cached 3");
  expect(again.events.find((e) => e.kind === "node.shown")).toMatchObject({ ui: { text: [7] } });
  // Its scores alone are kept: whoever asks for its value makes it run.
  for (const [key, result] of stored.kept) stored.kept.set(key, { ...result, outputs: null });
  const changed: Prompt = {
    ...CHAIN,
    3: { class_type: "Show", inputs: { a: ["4", 0] } },
    4: { class_type: "Add", inputs: { a: ["2", 0] } },
  };
  ran.length = 0;
  await run(changed, toys(ran), { stored });
  expect(ran).toEqual(["1", "2", "4", "3"]);
});

test("the memory cache weighs what closures hold, once for all that share it", async () => {
  const MIB = 2 ** 20;
  const cache = new ResultCache(10 * MIB);
  const module = (bytes: number) => holding({ apply: (x: number) => x }, new Uint8Array(bytes));
  const base = module(4 * MIB);
  cache.set("base", { outputs: { MODULE: base }, effects: [], opened: [] });
  expect(cache.bytes).toBeGreaterThan(4 * MIB);
  // Made from the first: it may hold on to it, whether it says so or not.
  const patched = { apply: (x: number) => base.apply(x) + 1 };
  cache.set("patched", { outputs: { MODULE: patched }, effects: [], opened: [] }, [base, 3]);
  const again = { apply: (x: number) => patched.apply(x) };
  cache.set("again", { outputs: { MODULE: [again] }, effects: [], opened: [] }, [patched]);
  expect(cache.bytes).toBeLessThan(4.1 * MIB);
  cache.delete("base");
  cache.delete("patched");
  expect(cache.bytes).toBeGreaterThan(4 * MIB);
  cache.set("other", { outputs: { MODULE: module(7 * MIB) }, effects: [], opened: [] });
  expect([cache.get("again"), cache.size]).toEqual([undefined, 1]);
  expect(cache.bytes).toBeLessThan(7.1 * MIB);
  cache.set("large", { outputs: { MODULE: module(11 * MIB) }, effects: [], opened: [] });
  expect([cache.get("large"), cache.size]).toEqual([undefined, 1]);
  // Plain data holds nothing but itself.
  cache.set("number", { outputs: { NUMBER: { n: 1 } }, effects: [], opened: [] }, [module(9 * MIB)]);
  expect(cache.size).toBe(2);
  cache.delete("other");
  cache.delete("number");
  expect(cache.bytes).toBe(0);
});

test("a run's values live until the last step that asks for them has run, made or read from disk", async () => {
  const refs: WeakRef<object>[] = [];
  const alive: boolean[][] = [];
  const VALUE = socket<{ readonly n: number }>("VALUE");
  const step = (type: string) =>
    defineNode({
      type,
      version: "1.0.0",
      category: "toy",
      summary: "A value from a value.",
      inputs: { a: optional(VALUE), n: widget(z.number().default(0)) },
      outputs: { VALUE },
      cache: "pure",
      isOutput: type === "End",
      run: async ({ a, n }) => {
        const gone: boolean[] = [];
        for (const ref of refs) gone.push(await isCollected(ref));
        alive.push(gone.map((g) => !g));
        const made = { n: n + (a?.n ?? 0) };
        refs.push(new WeakRef(made));
        return { VALUE: made };
      },
    });
  const registry = new Registry([step("Step"), step("End")]);
  const prompt: Prompt = {
    1: { class_type: "Step", inputs: {} },
    2: { class_type: "Step", inputs: { a: ["1", 0] } },
    3: { class_type: "Step", inputs: { a: ["1", 0], n: 1 } },
    4: { class_type: "Step", inputs: { a: ["3", 0] } },
    5: { class_type: "End", inputs: { a: ["4", 0] } },
    6: { class_type: "End", inputs: { a: ["2", 0], n: 2 } },
  };
  // Nothing else keeps them: there is no room in memory.
  const ended = await run(prompt, registry, { memory: new ResultCache(0) });
  expect(ended.last.kind).toBe("run.finished");
  const order = ended.events.flatMap((e) => (e.kind === "node.started" ? [e.node] : []));
  const readers: Record<string, string[]> = { 1: ["2", "3"], 2: ["6"], 3: ["4"], 4: ["5"], 5: [], 6: [] };
  order.forEach((_, at) => {
    const expected = order.slice(0, at).map((made) => (readers[made] ?? []).some((reader) => order.indexOf(reader) >= at));
    expect(alive[at], `before step ${at}`).toEqual(expected);
  });

  const kept = new Map<string, Result>();
  const read: WeakRef<object>[] = [];
  const stored: StoredResults = {
    peek: async (key) => aboutOf(kept.get(key)),
    read: async (key) => {
      const result = structuredClone(kept.get(key));
      for (const value of Object.values(result?.outputs ?? {}))
        if (typeof value === "object" && value !== null) read.push(new WeakRef(value));
      return result;
    },
    write: async (key, result) => void kept.set(key, structuredClone(result)),
  };
  await run(prompt, registry, { memory: new ResultCache(0), stored });
  refs.length = 0;
  const live: boolean[] = [];
  const more: Prompt = {
    ...prompt,
    7: { class_type: "Step", inputs: { a: ["2", 0], n: 9 } },
    8: { class_type: "End", inputs: { a: ["7", 0] } },
  };
  await run(more, registry, {
    memory: new ResultCache(0),
    stored,
    flush: async () => {
      for (const ref of read) live.push(!(await isCollected(ref)));
    },
  });
  // Before step 7, which asks for it, and before step 8.
  expect(live).toEqual([true, false]);
});

/** Two chains from disk, each with a step to run at its end. */
const TWO_CHAINS: Prompt = {
  1: { class_type: "Constant", inputs: { value: 1 } },
  2: { class_type: "Add", inputs: { a: ["1", 0], extra: 10 } },
  3: { class_type: "Show", inputs: { a: ["2", 0] } },
  4: { class_type: "Constant", inputs: { value: 2 } },
  5: { class_type: "Add", inputs: { a: ["4", 0], extra: 20 } },
  6: { class_type: "Show", inputs: { a: ["5", 0] } },
};
const LONGER: Prompt = {
  ...TWO_CHAINS,
  3: { class_type: "Add", inputs: { a: ["2", 0], extra: 100 } },
  6: { class_type: "Add", inputs: { a: ["5", 0], extra: 200 } },
  7: { class_type: "Show", inputs: { a: ["3", 0] } },
  8: { class_type: "Show", inputs: { a: ["6", 0] } },
};

test("what is on disk is read when its turn comes, not before the run", async () => {
  const stored = new FakeStore();
  await run(TWO_CHAINS, toys([]), { stored });
  const log: string[] = [];
  const logged: StoredResults = {
    peek: (key) => stored.peek(key),
    write: (key, result) => stored.write(key, result),
    read: async (key) => {
      const result = await stored.read(key);
      log.push(`read ${JSON.stringify(result?.outputs)}`);
      return result;
    },
  };
  const memory = new ResultCache(0);
  const { last } = await run(LONGER, toys([], { before: (id) => log.push(id) }), { memory, stored: logged });
  expect(last.kind).toBe("run.finished");
  expect(log).toEqual(['read {"NUMBER":11}', "3", "7", 'read {"NUMBER":22}', "6", "8"]);
});

test("a kept result that is lost before its turn is computed again, with what it needs, and the run continues as if it had never been kept", async () => {
  for (const lost of [["5"], ["5", "4"], ["2", "5"]]) {
    const stored = new FakeStore();
    const first = await run(TWO_CHAINS, toys([]), { stored });
    const keyOf = new Map(first.events.flatMap((e) => (e.kind === "node.finished" ? [[e.node, e.key] as const] : [])));
    const gone = new Set(lost.map((id) => keyOf.get(id)));
    const fragile: StoredResults = {
      peek: (key) => stored.peek(key),
      write: (key, result) => stored.write(key, result),
      read: async (key) => (gone.has(key) ? undefined : stored.read(key)),
    };
    const ran: string[] = [];
    const { last, events } = await run(LONGER, toys(ran), { memory: new ResultCache(0), stored: fragile });
    expect(last.kind).toBe("run.finished");
    const shown = events.flatMap((e) => (e.kind === "node.scored" ? [e.value] : []));
    const fresh = await run(LONGER, toys([]));
    expect(shown).toEqual(fresh.events.flatMap((e) => (e.kind === "node.scored" ? [e.value] : [])));
    expect([...ran].sort()).toEqual([...lost, "3", "6", "7", "8"].sort());
  }
});

test("a pinned result that is lost before its turn ends the run: nothing may stand in for it", async () => {
  const stored = new FakeStore();
  const registry = toys([]);
  const first = await run(TWO_CHAINS, registry, { stored });
  const key = first.events.flatMap((e) => (e.kind === "node.finished" && e.node === "5" && e.key ? [e.key] : []))[0] ?? "";
  const pinnedPlan = plan(validate(LONGER, registry).graph, { pinned: new Map([["5", key]]) });
  const fragile: StoredResults = { peek: (k) => stored.peek(k), write: async () => undefined, read: async () => undefined };
  const { last } = await run(LONGER, registry, { plan: pinnedPlan, stored: fragile });
  expect(last).toMatchObject({ kind: "run.failed", error: { code: "PIN_LOST" } });
});

test("what one run read from disk the next run of the process has in memory", async () => {
  const stored = new FakeStore();
  let reads = 0;
  const counted: StoredResults = {
    peek: (key) => stored.peek(key),
    write: (key, result) => stored.write(key, result),
    read: async (key) => {
      const result = await stored.read(key);
      if (result) reads++;
      return result;
    },
  };
  await run(CHAIN, toys([]), { stored });
  const memory = new ResultCache(1e6);
  for (let extra = 0; extra < 3; extra++) {
    const more: Prompt = {
      ...CHAIN,
      4: { class_type: "Add", inputs: { a: ["2", 0], extra } },
      5: { class_type: "Show", inputs: { a: ["4", 0] } },
    };
    expect((await run(more, toys([]), { memory, stored: counted })).last.kind).toBe("run.finished");
  }
  expect(reads).toBe(1);
});

test("a thousand nodes from cache", async () => {
  const prompt: Record<string, Prompt[string]> = { 0: { class_type: "Constant", inputs: { value: 1 } } };
  for (let i = 1; i < 1000; i++) prompt[i] = { class_type: "Add", inputs: { a: [`${i - 1}`, 0] } };
  prompt[1000] = { class_type: "Show", inputs: { a: ["999", 0] } };
  const ran: string[] = [];
  const registry = toys(ran);
  const thousand = planOf(prompt, registry);
  const memory = new ResultCache(1e8);
  const options = {
    run: "r",
    plan: thousand,
    registry,
    world: world(),
    memory,
    signal: new AbortController().signal,
    emit: () => undefined,
  };
  await execute(options);
  expect(ran.length).toBe(1001);
  await execute(options);
  expect(ran.length).toBe(1001);
});

test("a dry run calls cheap nodes, asks for estimates, collects every issue and saves nothing", async () => {
  const ran: string[] = [];
  const registry = toys(ran);
  const prompt: Prompt = {
    1: { class_type: "Load", inputs: {} },
    2: { class_type: "Apply", inputs: { module: ["1", 0] } },
    3: { class_type: "Fail", inputs: { a: ["2", 0] } },
    4: { class_type: "Show", inputs: { a: ["3", 0] } },
    5: { class_type: "Fail", inputs: { a: ["2", 0] } },
    6: { class_type: "Show", inputs: { a: ["5", 0] } },
  };
  const events: RunEvent[] = [];
  await dryRun({
    run: "r",
    plan: planOf(prompt, registry),
    registry,
    world: world(),
    memory: new ResultCache(1e6),
    signal: new AbortController().signal,
    emit: (e) => events.push(runEvent.parse(e)),
  });
  expect(ran).toEqual(["1"]);
  expect(events.filter((e) => e.kind === "node.planned").map((e) => [e.node, e.state, e.issues.length, e.estimate?.steps])).toEqual([
    ["1", "run", 0, undefined],
    ["2", "run", 0, 1],
    ["3", "run", 1, undefined],
    ["4", "run", 0, undefined],
    ["5", "run", 1, undefined],
    ["6", "run", 0, undefined],
  ]);
  expect(events.at(-1)).toMatchObject({ kind: "run.failed", error: { code: "DRY_RUN_ISSUES", message: "2 issues would end this run" } });
});

test("a dry run tells what is known, once for each node; it takes its time from the clock, and can be cancelled in a cheap node", async () => {
  const registry = toys([]);
  const memory = new ResultCache(1e6);
  const rehearse = async (prompt: Prompt, nodes: Registry<AnyNode>, signal: AbortSignal) => {
    const events: RunEvent[] = [];
    let now = 1000;
    const clock = { ...world(), now: () => now++ };
    const emit = (e: RunEvent): void => void events.push(runEvent.parse(e));
    await dryRun({ run: "r", plan: planOf(prompt, nodes), registry: nodes, world: clock, memory, signal, emit });
    return events;
  };
  await run(CHAIN, registry, { memory });
  const known = await rehearse(CHAIN, registry, new AbortController().signal);
  expect(known.filter((e) => e.kind === "node.planned").map((e) => [e.node, e.state])).toEqual([
    ["1", "cached"],
    ["2", "cached"],
    ["3", "cached"],
  ]);
  const last = known.at(-1);
  expect(last?.kind === "run.finished" && last.ms).toBeLessThan(500);
  const controller = new AbortController();
  const cheap = new Registry<AnyNode>([
    defineNode({
      type: "Cheap",
      version: "1.0.0",
      category: "toy",
      summary: "Is cancelled inside.",
      inputs: {},
      outputs: {},
      cache: "pure",
      isCheap: true,
      isOutput: true,
      run: (_i, ctx) => {
        controller.abort(new AppError("CANCELLED", "cancelled"));
        ctx.progress(1, 1);
        throw new AppError("TOY", "it went on");
      },
    }),
  ]);
  const cancelled = await rehearse({ 1: { class_type: "Cheap", inputs: {} } }, cheap, controller.signal);
  expect(cancelled.map((e) => e.kind)).toEqual(["run.started", "run.cancelled"]);
});

test("a warning names what its input comes from, and is repeated when the result is known", async () => {
  const registry = toys([]);
  const prompt: Prompt = {
    1: { class_type: "Picture", inputs: { file: "a.png" } },
    2: { class_type: "Add", inputs: { a: ["1", 0] } },
    3: { class_type: "Warn", inputs: { a: ["2", 0] } },
    4: { class_type: "Warn", inputs: { a: ["3", 0], b: ["2", 0] } },
    5: { class_type: "Warn", inputs: { a: ["4", 0] } },
    6: { class_type: "Show", inputs: { a: ["5", 0] } },
  };
  const checked = validate(prompt, registry);
  if (!checked.ok) throw new Error(JSON.stringify(checked.issues));
  const fixed = { plan: plan(checked.graph, { fingerprints: new Map([["input:a.png", "its bytes"]]) }) };
  const memory = new ResultCache(1e6);
  const stored = new FakeStore();
  const warnings = ({ events }: { readonly events: readonly RunEvent[] }) =>
    events.flatMap((e) => (e.kind === "node.logged" && e.level === "warn" ? [[e.node, e.message, e.source]] : []));
  // Behind node 4 there are two links: which picture is meant cannot be told, the node can.
  const expected = [
    ["3", "nobody there", "a.png"],
    ["4", "nobody there", "a.png"],
    ["5", "nobody there", "Warn (node 4)"],
  ];
  expect(warnings(await run(prompt, registry, { ...fixed, memory, stored }))).toEqual(expected);
  expect(warnings(await run(prompt, registry, { ...fixed, memory, stored }))).toEqual(expected);
  const again = await run(prompt, registry, { ...fixed, stored });
  expect(again.events.some((e) => e.kind === "node.started")).toBe(false);
  expect(warnings(again)).toEqual(expected);
});

test("outputs that cannot run are told first; the others run, in a dry run too", async () => {
  const prompt: Prompt = { ...CHAIN, 4: { class_type: "Show", inputs: {} }, 5: { class_type: "Nope", inputs: {} } };
  const registry = toys([]);
  const checked = validate(prompt, registry);
  const partial = plan(checked.graph);
  const { kinds, last } = await run(CHAIN, registry, { plan: partial });
  expect(kinds.slice(0, 3)).toEqual(["run.started", "node.skipped 4", "node.started 1"]);
  expect(last.kind).toBe("run.finished");
  const events: RunEvent[] = [];
  await dryRun({ ...quietOptions(registry), plan: partial, emit: (e) => events.push(runEvent.parse(e)) });
  expect(events.filter((e) => e.kind === "node.skipped")).toMatchObject([{ node: "4", type: "Show", title: "Show" }]);
});

test("a file named over a link: its content is part of the key, which is made when the name exists", async () => {
  const prompt = (a: number): Prompt => ({
    1: { class_type: "Name", inputs: {} },
    2: { class_type: "Read", inputs: { file: ["1", 0] } },
    3: { class_type: "Add", inputs: { a: ["2", 0], extra: a } },
    4: { class_type: "Show", inputs: { a: ["3", 0] } },
  });
  for (const stored of [undefined, new FakeStore()]) {
    const ran: string[] = [];
    const registry = toys(ran);
    let content: string | null = "one";
    const identified: World = { ...world(), identify: async (file) => ("name" in file && file.name === "a" ? content : "other") };
    let memory = new ResultCache(1e6);
    const go = async (a = 0) => {
      ran.length = 0;
      // With a store, each run is another process.
      if (stored) memory = new ResultCache(1e6);
      const { last } = await run(prompt(a), registry, { memory, world: identified, ...(stored && { stored }) });
      expect(last.kind).toBe("run.finished");
      return [...ran];
    };
    expect(await go()).toEqual(["1", "2", "3", "4"]);
    expect(await go()).toEqual([]);
    // A linked value goes through the widget like a typed one.
    expect(await go(5)).toEqual(["3", "4"]);
    content = "two";
    expect(await go()).toEqual(["2", "3", "4"]);
    // No such file: that is the node's to say, and nothing is kept.
    content = null;
    expect(await go()).toEqual(["2", "3", "4"]);
    expect(await go()).toEqual(["2", "3", "4"]);
  }
});

test("a pinned result stands, whatever changed above it; when it is lost the run fails", async () => {
  const ran: string[] = [];
  const registry = toys(ran);
  const memory = new ResultCache(1e6);
  const { events } = await run(CHAIN, registry, { memory });
  const finished = events.find((e) => e.kind === "node.finished" && e.node === "2");
  const key = finished?.kind === "node.finished" ? finished.key : null;
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  const changed: Prompt = {
    ...CHAIN,
    1: { class_type: "Constant", inputs: { value: 50 } },
    4: { class_type: "Add", inputs: { a: ["2", 0] } },
  };
  const checked = validate({ ...changed, 3: { class_type: "Show", inputs: { a: ["4", 0] } } }, registry);
  const pinned = plan(checked.graph, { pinned: new Map([["2", key ?? ""]]) });
  ran.length = 0;
  const again = await run(CHAIN, registry, { memory, plan: pinned });
  expect(ran).toEqual(["4", "3"]);
  expect(again.events.find((e) => e.kind === "node.shown")).toMatchObject({ ui: { text: [7] } });
  const lost = await run(CHAIN, registry, { plan: pinned });
  expect(lost.last).toMatchObject({ kind: "run.failed", error: { code: "PIN_LOST", details: { node: "2" } } });
});

test("progress may carry a picture of bounded size", async () => {
  const prompt = (bytes: number): Prompt => ({
    1: { class_type: "Preview", inputs: { bytes } },
    2: { class_type: "Show", inputs: { a: ["1", 0] } },
  });
  const small = await run(prompt(3), toys([]));
  expect(small.events.find((e) => e.kind === "node.progress")).toMatchObject({ preview: { mime: "image/png", base64: "AAAA" } });
  const large = await run(prompt(300_000), toys([]));
  expect(large.events.find((e) => e.kind === "node.progress")).not.toHaveProperty("preview");
  expect(large.events.filter((e) => e.kind === "node.logged")).toMatchObject([
    { level: "warn", message: expect.stringMatching(/too large/) },
  ]);
});

test("a result holds only while every file that its nodes opened is the same, on disk too, and all that came of it with it", async () => {
  const prompt: Prompt = {
    1: { class_type: "Open", inputs: { file: "m" } },
    2: { class_type: "Add", inputs: { a: ["1", 0] } },
    3: { class_type: "Show", inputs: { a: ["2", 0] } },
  };
  const files = new Map([
    ["model m", "1"],
    ["text vocab.json", "1"],
    ["input listed.png", "1"],
    ["external /data", "1"],
  ]);
  const identity = (file: OpenedFile): string => `${file.kind} ${file.kind === "text" || file.kind === "external" ? file.path : file.name}`;
  const doors: World = {
    ...world(),
    identify: async (file) => {
      const now = files.get(identity(file));
      return now !== undefined && file.kind === "text" ? sha256(now) : (now ?? null);
    },
    readInput: async () => new Uint8Array(1),
    listInputs: async () => [],
    models: {
      list: async () => [],
      open: async (_folder, name) => {
        if (!files.has(`model ${name}`)) throw new AppError("MODEL_NOT_FOUND", "none");
        const text = async (path: string) => files.get(`text ${path}`);
        return { ...memoryWeights(new Map(), { name }), fingerprint: files.get(`model ${name}`) ?? "", text };
      },
      bytes: async (_folder, name) => {
        const fingerprint = files.get(`model ${name}`);
        if (fingerprint === undefined) throw new AppError("MODEL_NOT_FOUND", name);
        return { bytes: new Uint8Array(), path: "/m", fingerprint };
      },
      findExternal: async () => ({ identity: "", paths: new Map([["data", "/data"]]) }),
    },
  };
  for (const stored of [undefined, new FakeStore()]) {
    const ran: string[] = [];
    const registry = toys(ran);
    let memory = new ResultCache(1e6);
    const fixed = plan(validate(prompt, registry).graph, { fingerprints: new Map([["model:loras/m", "1"]]) });
    const go = async () => {
      ran.length = 0;
      if (stored) memory = new ResultCache(1e6);
      const { last } = await run(prompt, registry, { plan: fixed, memory, world: doors, ...(stored && { stored }) });
      expect(last).toMatchObject({ kind: "run.finished" });
      return [...ran];
    };
    expect(await go()).toEqual(["1", "2", "3"]);
    expect(await go()).toEqual([]);
    for (const name of ["text vocab.json", "input listed.png", "external /data", "model absent"]) {
      const before = files.get(name);
      files.set(name, "changed");
      expect(await go(), name).toEqual(["1", "2", "3"]);
      if (before === undefined) files.delete(name);
      else files.set(name, before);
      // The world as it was is another world than the one that was just kept.
      expect((await go()).length, name).toBeGreaterThan(0);
      expect(await go(), name).toEqual([]);
    }
  }
});

test("only the file that a widget names is in the key: another of the same name is remembered as opened", async () => {
  const opener = (
    type: string,
    file: z.ZodType<string>,
    hints: Parameters<typeof widget>[1],
    open: (ctx: NodeContext) => Promise<unknown>,
  ) =>
    defineNode({
      type,
      version: "1.0.0",
      category: "toy",
      summary: "Opens files.",
      inputs: { file: widget(file, hints) },
      outputs: {},
      cache: "pure",
      isOutput: true,
      async run(_i, ctx) {
        ran.push(type);
        await open(ctx);
        return {};
      },
    });
  const ran: string[] = [];
  const registry = new Registry<AnyNode>([
    opener("Text", z.string(), {}, (ctx) => ctx.readInput("m")),
    opener("Other", z.string(), { file: { kind: "model", folder: "loras" } }, (ctx) => ctx.models.open("vae", "m")),
    opener("Bytes", z.string(), { file: { kind: "model", folder: "loras" } }, (ctx) => ctx.models.bytes("onnx", "m")),
    opener("Input", z.string(), { file: { kind: "model", folder: "loras" } }, (ctx) => ctx.readInput("m")),
    opener("Model", z.string(), { file: { kind: "input" } }, (ctx) => ctx.models.open("loras", "m")),
    opener("Same", z.string(), { file: { kind: "model", folder: "loras" } }, (ctx) => ctx.models.open("loras", "m")),
  ]);
  let now = "1";
  const doors: World = {
    ...world(),
    identify: async () => now,
    readInput: async () => new Uint8Array(1),
    models: {
      list: async () => [],
      open: async (_folder, name) => ({ ...memoryWeights(new Map(), { name }), fingerprint: now }),
      bytes: async () => ({ bytes: new Uint8Array(), path: "/m", fingerprint: now }),
      findExternal: async () => ({ identity: "", paths: new Map([["data", "/data"]]) }),
    },
  };
  for (const type of ["Text", "Other", "Bytes", "Input", "Model", "Same"]) {
    ran.length = 0;
    const prompt: Prompt = { 1: { class_type: type, inputs: { file: "m" } } };
    const fingerprints = new Map([
      ["model:loras/m", "1"],
      ["input:m", "1"],
    ]);
    const options = { plan: plan(validate(prompt, registry).graph, { fingerprints }), memory: new ResultCache(1e6), world: doors };
    for (now of ["1", "1", "2"]) await run(prompt, registry, options);
    // The plan's key stands for the file that the widget names: when that changes, the next plan has another key.
    expect(ran, type).toEqual(type === "Same" ? [type] : [type, type]);
  }
});

test("what several results were made of is one list, each file once, as it was first seen", () => {
  const file = (name: string, identity: string | null) => ({ file: { kind: "input" as const, name }, identity });
  expect(union([])).toEqual([]);
  expect(union([[], [file("a", "1")]])).toEqual([file("a", "1")]);
  expect(union([[file("a", "1"), file("b", null)], [], [file("a", "2"), file("c", "3")]])).toEqual([
    file("a", "1"),
    file("b", null),
    file("c", "3"),
  ]);
});

test("a result that shows a temporary file is kept for this process only: another one has no such file", async () => {
  const ran: string[] = [];
  const show = (type: "temp" | "output"): Registry<AnyNode> =>
    new Registry([
      defineNode({
        type: "Look",
        version: "1.0.0",
        category: "toy",
        summary: "Shows a picture.",
        inputs: {},
        outputs: { NUMBER },
        cache: "pure",
        isOutput: true,
        run: (_i, ctx) => {
          ran.push(type);
          ctx.show({ match: [{ pictures: [{ filename: "a.png", subfolder: "", type }] }] });
          return { NUMBER: 1 };
        },
      }),
    ]);
  const prompt: Prompt = { 1: { class_type: "Look", inputs: {} } };
  for (const type of ["temp", "output"] as const) {
    const stored = new FakeStore();
    const memory = new ResultCache(1e6);
    await run(prompt, show(type), { memory, stored });
    await run(prompt, show(type), { memory, stored });
    await run(prompt, show(type), { stored });
  }
  expect(ran).toEqual(["temp", "temp", "output"]);
});

test("a step that shows a temporary file on the side is kept without it, and warns again in another process", async () => {
  let ran = 0;
  const registry = new Registry([
    defineNode({
      type: "Find",
      version: "1.0.0",
      category: "toy",
      summary: "Finds nothing, and shows where.",
      inputs: {},
      outputs: { NUMBER },
      cache: "pure",
      run: (_i, ctx) => {
        ran++;
        ctx.log("warn", "nothing found");
        ctx.show({ match: [{ pictures: [{ filename: "a.png", subfolder: "", type: "temp" }] }] });
        return { NUMBER: 1 };
      },
    }),
    defineNode({
      type: "Tell",
      version: "1.0.0",
      category: "toy",
      summary: "Tells a number, each time.",
      inputs: { a: input(NUMBER) },
      outputs: {},
      cache: "never",
      isOutput: true,
      run: () => ({}),
    }),
  ]);
  const prompt: Prompt = { 1: { class_type: "Find", inputs: {} }, 2: { class_type: "Tell", inputs: { a: ["1", 0] } } };
  const stored = new FakeStore();
  await run(prompt, registry, { stored });
  const { events } = await run(prompt, registry, { stored });
  expect(ran).toBe(1);
  expect(events.filter((e) => e.kind === "node.logged")).toMatchObject([{ node: "1", level: "warn", message: "nothing found" }]);
  expect(events.filter((e) => e.kind === "node.shown")).toEqual([]);
});
