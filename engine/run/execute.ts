// Executes a plan, making cache keys on the way. Everything that happens is an event; the last one says how the run ended.
import { AppError, toAppError } from "../base/errors.ts";
import { type Effect, isTerminal, type RunError, type RunEvent, type RunEventBody } from "../graph/events.ts";
import type { Identify } from "../graph/opened-file.ts";
import type { Plan, Step } from "../graph/plan.ts";
import type { AnyNode } from "../node/define-node.ts";
import type { Registry } from "../node/registry.ts";
import { Frontier } from "./frontier.ts";
import { type Decision, type Kept, type Known, knownSteps, pinLost, readOutputs, recall } from "./known-steps.ts";
import { nodeContext } from "./node-context.ts";
import { recordOpened, stillTheSame, union } from "./opened-files.ts";
import type { ResultCache, StoredResults } from "./result-cache.ts";
import { runInputs } from "./run-inputs.ts";
import { stepSource, withSource } from "./step-source.ts";
import type { World } from "./world.ts";

export interface ExecuteOptions {
  readonly run: string;
  readonly plan: Plan;
  readonly registry: Registry<AnyNode>;
  readonly world: World;
  readonly memory: ResultCache;
  readonly stored?: StoredResults;
  /** Checked between nodes, and by nodes. Its reason should be an AppError CANCELLED. */
  readonly signal: AbortSignal;
  /** Called where the run may stop, for cancellation that arrives as a flag in shared memory. */
  readonly poll?: () => void;
  readonly emit: (event: RunEvent) => void;
  /** Waits until all events are on their way out of the process: when a node takes it down, the parent must know which one. */
  readonly flush?: () => Promise<void>;
}

/** Numbers events and stamps them. */
export function envelope(run: string, clock: () => number, emit: (event: RunEvent) => void, firstSeq = 0): (body: RunEventBody) => void {
  let seq = firstSeq;
  return (body) => emit({ run, seq: seq++, at: clock(), ...body });
}

/**
 * Runs what has to run, one node after the other. Never throws: it ends in `run.finished`, `run.failed` or `run.cancelled`, which is also returned.
 * Finished nodes are kept under their keys, failed ones are not: running the same plan again continues after the error.
 */
export async function execute(options: ExecuteOptions): Promise<RunEvent> {
  const { plan, registry, world, signal, poll } = options;
  const sourceOf = stepSource(plan, registry);
  let last: RunEvent | undefined;
  const emit = envelope(options.run, world.clock, (event) => {
    if (isTerminal(event)) last = event;
    options.emit(event);
  });
  const checkCancelled = (): void => {
    poll?.();
    signal.throwIfAborted();
  };
  const started = world.now();
  const ms = (): number => world.now() - started;
  let current: Step | undefined;
  emit({ kind: "run.started", nodes: plan.steps.length });
  for (const { id, type, title } of plan.skipped) emit({ kind: "node.skipped", node: id, type, title });
  try {
    checkCancelled();
    const kept = keptResults(options);
    const decisions = await knownSteps(plan, registry, kept);
    const frontier = new Frontier(decisions, registry);
    const steps = new Map(plan.steps.map((step) => [step.id, step]));
    const run = async (step: Step, key: string | null): Promise<void> => {
      current = step;
      await runStep(options, step, key, frontier, emit, (input) => sourceOf(step, input), checkCancelled);
    };
    /** For a step whose kept result is lost after all: the outputs it needs, read or computed again. */
    const bringSources = async (step: Step): Promise<void> => {
      if (step.pinned !== undefined) throw pinLost(step);
      for (const id of frontier.ask(step)) {
        const source = steps.get(id);
        if (!source) continue;
        const key = frontier.keyOf(id);
        const known = typeof key === "string" ? await recall(key, kept) : undefined;
        if (known) frontier.put(id, key, known);
        else {
          await bringSources(source);
          checkCancelled();
          await run(source, await frontier.key(source, world.identify));
        }
      }
    };
    // Taken out of the list one by one, so that what was read from disk for a step is freed unless a later step needs it.
    for (let decision = decisions.shift(); decision; decision = decisions.shift()) {
      current = decision.step;
      checkCancelled();
      const { key, known } = await settle(decision, frontier, kept, world.identify);
      if (!known) {
        if (!decision.run) await bringSources(decision.step);
        await run(decision.step, key);
      } else {
        frontier.put(decision.step.id, key, known);
        if (decision.run) frontier.release(decision.step);
        const of = { node: decision.step.id, type: decision.step.type };
        for (const effect of known.effects) emit({ ...withSource(effect, (input) => sourceOf(decision.step, input)), ...of });
        emit({ kind: "node.cached", ...of, from: known.from, key });
      }
    }
    emit({ kind: "run.finished", ms: ms() });
  } catch (thrown) {
    if (signal.aborted) emit({ kind: "run.cancelled", ms: ms(), ...(thrown !== signal.reason && { error: runErrorOf(thrown, current) }) });
    else emit({ kind: "run.failed", ms: ms(), error: runErrorOf(thrown, current) });
  }
  if (!last) throw new AppError("INTERNAL", "the run ended without saying so");
  return last;
}

/** For one run only: the next run looks at the files again. */
export function keptResults({ memory, stored, world }: Pick<ExecuteOptions, "memory" | "stored" | "world">): Kept {
  return { memory, ...(stored && { stored }), areSame: stillTheSame(world.identify) };
}

/** The key of a step whose sources are settled; and its result, if that is known by now: from before, or from a twin in this run. */
async function settle(
  decision: Decision,
  frontier: Frontier,
  kept: Kept,
  identify: Identify,
): Promise<{ readonly key: string | null; readonly known: Known | undefined }> {
  if (!decision.run) return { key: decision.key ?? null, known: await readOutputs(decision.key, decision, kept) };
  const key = decision.key === undefined ? await frontier.key(decision.step, identify) : decision.key;
  if (key === null) return { key, known: undefined };
  // A key known before the run has been looked up on disk already.
  const { memory, areSame } = kept;
  return { key, known: await recall(key, decision.key === undefined ? kept : { memory, areSame }) };
}

async function runStep(
  { registry, world, memory, stored, signal, flush }: ExecuteOptions,
  step: Step,
  key: string | null,
  frontier: Frontier,
  emit: (event: RunEventBody) => void,
  sourceOf: (input: string) => string | undefined,
  checkCancelled: () => void,
): Promise<void> {
  const of = { node: step.id, type: step.type };
  const node = registry.node(step.type);
  if (!node)
    throw new AppError("UNKNOWN_NODE_TYPE", `there is no node of type ${step.type}`, { hint: "list the types with `graph nodes`" });
  const { inputs, extra, missing } = runInputs(step, registry, frontier.lookup);
  const [absent] = missing;
  if (absent !== undefined) throw absentOutput(step, absent);
  emit({ kind: "node.started", ...of, title: step.title, ...(node.stop && { stop: node.stop }), ...linkedWidgets(step, registry, inputs) });
  await flush?.();
  const effects: Effect[] = [];
  const started = world.now();
  const recorder = recordOpened(world, step, registry, world.identify);
  const ctx = nodeContext({
    world: { ...world, models: recorder.models, readInput: recorder.readInput },
    step,
    stop: node.stop,
    signal,
    checkCancelled,
    emit,
    sourceOf,
    effects,
  });
  const outputs = declaredOutputs(node, await node.run(inputs, ctx, extra));
  const ms = world.now() - started;
  const opened = union([recorder.opened(), frontier.openedBefore(step)]);
  frontier.put(step.id, key, { outputs, opened });
  frontier.release(step);
  emit({ kind: "node.finished", ...of, ms, key });
  if (key === null) return;
  memory.set(key, { outputs, effects, opened }, [...Object.values(inputs), ...Object.values(extra)]);
  // A later process may have another folder for temporary files, or none of these left: it could not show them. What is there only
  // to show them runs again then; of any other step all the rest is kept, its warnings too.
  const lasting = effects.filter((e) => e.kind !== "node.shown" || !namesTemporary(e.ui));
  if (lasting.length < effects.length && step.isOutput) return;
  try {
    await stored?.write(key, { outputs, effects: lasting, opened }, ms);
  } catch (error) {
    emit({ kind: "node.logged", ...of, level: "warn", message: `its result is not kept for the next run: ${toAppError(error).message}` });
  }
}

/** Whether a temporary file is among what is shown. */
function namesTemporary(shown: unknown): boolean {
  if (typeof shown !== "object" || shown === null) return false;
  if ("filename" in shown && "type" in shown && shown.type === "temp") return true;
  return Object.values(shown).some(namesTemporary);
}

/** Values that arrived at widgets over links, for whoever shows the node. */
function linkedWidgets(
  step: Step,
  registry: Registry,
  inputs: Readonly<Record<string, unknown>>,
): { readonly linked?: Record<string, unknown> } {
  const declared = registry.get(step.type)?.inputs;
  const names = Object.keys(step.links).filter((name) => declared?.get(name)?.kind === "widget");
  return names.length > 0 ? { linked: Object.fromEntries(names.map((name) => [name, inputs[name]])) } : {};
}

/** The declared outputs and no others. A node may leave one out; that is an error only where a link needs it. */
function declaredOutputs(node: AnyNode, returned: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  // A node without outputs may return nothing at all.
  const given = Object.keys(node.outputs).flatMap((name) => (returned?.[name] === undefined ? [] : [[name, returned[name]] as const]));
  return Object.fromEntries(given);
}

function absentOutput(step: Step, input: string): AppError {
  const link = step.links[input] ?? step.extra[input];
  return new AppError("NODE_OUTPUT_MISSING", `input ${input} needs output ${link?.output} of node ${link?.id}, which gave none`, {
    hint: "link another output",
  });
}

/** Characters of a stack: the upper frames are what counts. */
const MAX_TRACE = 4000;

/** Code, message and hint of anything thrown, with the node it happened in. */
export function runErrorOf(thrown: unknown, step?: Step): RunError {
  const error = toAppError(thrown, step ? "NODE_FAILED" : "INTERNAL");
  // An error of our own names place and remedy. Of any other, whoever mends it needs to know where it came from.
  const trace = error === thrown || !(thrown instanceof Error) ? undefined : thrown.stack?.slice(0, MAX_TRACE);
  const details = { ...error.details, ...(trace !== undefined && { trace }) };
  return {
    code: error.code,
    message: error.message,
    ...(error.hint !== undefined && { hint: error.hint }),
    ...(step && { node: step.id, type: step.type, title: step.title }),
    ...(Object.keys(details).length > 0 && { details }),
  };
}
