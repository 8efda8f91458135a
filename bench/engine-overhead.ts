// What the engine itself costs: a graph of 1,000 nodes, run once and run again with nothing changed.

import { z } from "zod";
import type { RunEvent } from "../engine/graph/events.ts";
import { parseWorkflow } from "../engine/graph/parse-workflow.ts";
import { plan } from "../engine/graph/plan.ts";
import { validate } from "../engine/graph/validate.ts";
import { workflowToPrompt } from "../engine/graph/workflow-to-prompt.ts";
import { defineNode, input, optional, widget } from "../engine/node/define-node.ts";
import { Registry } from "../engine/node/registry.ts";
import { socket } from "../engine/node/socket.ts";
import { execute } from "../engine/run/execute.ts";
import { ResultCache } from "../engine/run/result-cache.ts";
import type { World } from "../engine/run/world.ts";
import { textTable } from "./text-table.ts";

const NODES = 1000;
const ROUNDS = 15;
const NUMBER = socket<number>("NUMBER");

const registry = new Registry([
  defineNode({
    type: "Constant",
    version: "1.0.0",
    category: "bench",
    summary: "A number.",
    inputs: { value: widget(z.number().default(0)) },
    outputs: { NUMBER },
    cache: "pure",
    run: ({ value }) => ({ NUMBER: value }),
  }),
  defineNode({
    type: "Add",
    version: "1.0.0",
    category: "bench",
    summary: "Sum.",
    inputs: { a: input(NUMBER), b: optional(NUMBER), extra: widget(z.number().default(0)) },
    outputs: { NUMBER },
    cache: "pure",
    run: ({ a, b, extra }) => ({ NUMBER: a + (b ?? 0) + extra }),
  }),
  defineNode({
    type: "Show",
    version: "1.0.0",
    category: "bench",
    summary: "Shows a number.",
    inputs: { a: input(NUMBER) },
    outputs: {},
    cache: "pure",
    isOutput: true,
    run: ({ a }, ctx) => {
      ctx.show({ text: [a] });
      return {};
    },
  }),
]);

/** A binary tree of sums over constants, shown at its root. */
function workflow(): string {
  const prompt: Record<string, unknown> = {};
  const sums = NODES / 2 - 1;
  for (let i = 1; i <= 2 * sums + 1; i++)
    prompt[i] =
      i <= sums
        ? { class_type: "Add", inputs: { a: [String(2 * i), 0], b: [String(2 * i + 1), 0], extra: 0 } }
        : { class_type: "Constant", inputs: { value: i } };
  prompt[NODES] = { class_type: "Show", inputs: { a: ["1", 0] } };
  return JSON.stringify(prompt);
}

function world(): World {
  const none = (): never => {
    throw new Error("these nodes ask for nothing");
  };
  return {
    compute: () => ({ device: "cpu", memory: { wholeBytes: 0, keptWeightBytes: 0 }, compile: none, grad: none, run: none }),
    models: { list: none, open: none, bytes: none, findExternal: none },
    readInput: none,
    listInputs: none,
    save: none,
    saveAs: none,
    runDirectory: none,
    workflow: { prompt: {} },
    memory: () => 0,
    now: () => performance.now(),
    identify: async () => null,
    clock: () => Date.now(),
  };
}

/** Everything `graph run` does between the file's bytes and the last event. @returns milliseconds by part */
async function once(
  text: string,
  memory: ResultCache,
): Promise<{ readonly check: number; readonly walk: number; readonly events: RunEvent[] }> {
  const started = performance.now();
  const parsed = parseWorkflow(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const converted = workflowToPrompt(parsed.workflow, registry);
  if (!converted.ok) throw new Error(JSON.stringify(converted.issues));
  const checked = validate(converted.prompt, registry);
  if (!checked.ok) throw new Error(JSON.stringify(checked.issues));
  const planned = plan(checked.graph);
  const middle = performance.now();
  const events: RunEvent[] = [];
  const signal = new AbortController().signal;
  await execute({ run: "bench", plan: planned, registry, world: world(), memory, signal, emit: (event) => events.push(event) });
  return { check: middle - started, walk: performance.now() - middle, events };
}

/** Prints the section. Goals: ≤ 0.1 ms per cached node; ≤ 50 ms for the whole re-run. */
export async function engineOverhead(): Promise<void> {
  const text = workflow();
  const best = { first: Infinity, check: Infinity, walk: Infinity, whole: Infinity };
  let told = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const memory = new ResultCache(2 ** 28);
    const first = await once(text, memory);
    const again = await once(text, memory);
    if (again.events.at(-1)?.kind !== "run.finished") throw new Error("the run did not finish");
    told = again.events.filter((e) => e.kind === "node.cached").length;
    best.first = Math.min(best.first, first.check + first.walk);
    best.check = Math.min(best.check, again.check);
    best.walk = Math.min(best.walk, again.walk);
    best.whole = Math.min(best.whole, again.check + again.walk);
  }
  const row = (name: string, ms: number, goal?: number) => [
    name,
    ms.toFixed(3),
    goal ? String(goal) : "",
    goal ? (ms / goal).toFixed(3) : "",
  ];
  console.log(`\nEngine overhead: ${NODES} nodes, ${told} answered from the cache\n`);
  console.log(
    textTable(
      ["", "ms", "goal", "ms / goal"],
      [
        row("first run, nothing cached", best.first),
        row("run again: parse, validate, plan", best.check),
        row("run again: walk the plan", best.walk),
        row("run again, all of it", best.whole, 50),
        row("per cached node", best.walk / NODES, 0.1),
      ],
    ),
  );
}
