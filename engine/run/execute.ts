// Walks a plan. Everything that happens is an event; the last one says how the run ended.
import { AppError, toAppError } from "../base/errors.ts";
import { type Effect, isTerminal, type RunError, type RunEvent, type RunEventBody } from "../graph/events.ts";
import type { Plan, Step } from "../graph/plan.ts";
import type { AnyNode } from "../node/define-node.ts";
import type { Registry } from "../node/registry.ts";
import { type Decision, knownSteps } from "./known-steps.ts";
import { nodeContext } from "./node-context.ts";
import type { Result, ResultCache, StoredResults } from "./result-cache.ts";
import { type Lookup, runInputs } from "./run-inputs.ts";
import { stepSource, withSource } from "./step-source.ts";
import type { World } from "./world.ts";

export interface ExecuteOptions {
  readonly run: string;
  readonly plan: Plan;
  readonly registry: Registry<AnyNode>;
  readonly world: World;
  readonly memory: ResultCache;
  readonly stored?: StoredResults;
  /** Looked at between nodes, and by nodes. Its reason should be an AppError CANCELLED. */
  readonly signal: AbortSignal;
  /** Called where the run may stop, for cancellation that arrives as a flag in shared memory. */
  readonly poll?: () => void;
  readonly emit: (event: RunEvent) => void;
  /** Waits until all events are on their way out of the process: a node may take it down, and then it must be known which one. */
  readonly flush?: () => Promise<void>;
}

/** Numbers events and stamps them. */
export function envelope(run: string, clock: () => number, emit: (event: RunEvent) => void, firstSeq = 0): (body: RunEventBody) => void {
  let seq = firstSeq;
  return (body) => emit({ run, seq: seq++, at: clock(), ...body });
}

/**
 * Runs what has to run, one node after the other. Never throws: it ends in `run.finished`, `run.failed` or `run.cancelled`, which is also returned.
 * Finished nodes are kept under their keys, failed ones are not: the same plan again goes on after the error.
 */
export async function execute(options: ExecuteOptions): Promise<RunEvent> {
  const { run, plan, registry, world, memory, stored, signal, poll } = options;
  const sourceOf = stepSource(plan, registry);
  let last: RunEvent | undefined;
  const emit = envelope(run, world.clock, (event) => {
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
  try {
    checkCancelled();
    const decisions = await knownSteps(plan, memory, stored);
    const values = new Values(decisions);
    for (const decision of decisions) {
      current = decision.step;
      checkCancelled();
      const known = decision.run ? twin(decision.step, memory) : decision;
      if (!known) await runStep(options, decision.step, values, emit, (input) => sourceOf(decision.step, input), checkCancelled);
      else {
        values.put(decision.step.id, known.outputs);
        if (decision.run) values.release(decision.step);
        const of = { node: decision.step.id, type: decision.step.type };
        for (const effect of known.effects) emit({ ...withSource(effect, (input) => sourceOf(decision.step, input)), ...of });
        emit({ kind: "node.cached", ...of, from: known.from });
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

/** The result of a step with the same key that ran earlier in this run. */
function twin(step: Step, memory: ResultCache): (Result & { readonly from: "memory" }) | undefined {
  const result = step.key === null ? undefined : memory.get(step.key);
  return result && { from: "memory", ...result };
}

async function runStep(
  { registry, world, memory, stored, signal, flush }: ExecuteOptions,
  step: Step,
  values: Values,
  emit: (event: RunEventBody) => void,
  sourceOf: (input: string) => string | undefined,
  checkCancelled: () => void,
): Promise<void> {
  const of = { node: step.id, type: step.type };
  const node = registry.node(step.type);
  if (!node)
    throw new AppError("UNKNOWN_NODE_TYPE", `there is no node of type ${step.type}`, { hint: "list the types with `graph nodes`" });
  const { inputs, extra, missing } = runInputs(step, registry, values.lookup);
  const [absent] = missing;
  if (absent !== undefined) throw absentOutput(step, absent);
  emit({ kind: "node.started", ...of, title: step.title, ...(node.stop && { stop: node.stop }) });
  await flush?.();
  const effects: Effect[] = [];
  const started = world.now();
  const ctx = nodeContext({ world, step, stop: node.stop, signal, checkCancelled, emit, sourceOf, effects });
  const outputs = declaredOutputs(node, await node.run(inputs, ctx, extra));
  const ms = world.now() - started;
  values.put(step.id, outputs);
  values.release(step);
  emit({ kind: "node.finished", ...of, ms });
  if (step.key === null) return;
  memory.set(step.key, { outputs, effects });
  try {
    await stored?.write(step.key, { outputs, effects }, ms);
  } catch (error) {
    emit({ kind: "node.logged", ...of, level: "warn", message: `its result is not kept for the next run: ${toAppError(error).message}` });
  }
}

/** The declared outputs and no others. A node may leave one out: that is an error only where a link asks for it. */
function declaredOutputs(node: AnyNode, returned: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  // A node without outputs may return nothing at all.
  const given = Object.keys(node.outputs).flatMap((name) => (returned?.[name] === undefined ? [] : [[name, returned[name]] as const]));
  return Object.fromEntries(given);
}

function absentOutput(step: Step, input: string): AppError {
  const link = step.links[input] ?? step.extra[input];
  return new AppError("NODE_OUTPUT_MISSING", `input ${input} asks for output ${link?.output} of node ${link?.id}, which gave none`, {
    hint: "link another output",
  });
}

/** Code, message and hint of anything thrown, with the node it happened in. */
export function runErrorOf(thrown: unknown, step?: Step): RunError {
  const error = toAppError(thrown, step ? "NODE_FAILED" : "INTERNAL");
  return {
    code: error.code,
    message: error.message,
    ...(error.hint !== undefined && { hint: error.hint }),
    ...(step && { node: step.id, type: step.type, title: step.title }),
    ...(Object.keys(error.details).length > 0 && { details: { ...error.details } }),
  };
}

/** Outputs of this run, each let go when the last step that asks for it has run. */
class Values {
  readonly #outputs = new Map<string, Readonly<Record<string, unknown>>>();
  readonly #askers = new Map<string, number>();

  constructor(decisions: readonly Decision[]) {
    for (const { run, step } of decisions) if (run) for (const id of sources(step)) this.#askers.set(id, (this.#askers.get(id) ?? 0) + 1);
  }

  put(id: string, outputs: Readonly<Record<string, unknown>> | null): void {
    if (outputs && this.#askers.has(id)) this.#outputs.set(id, outputs);
  }

  readonly lookup: Lookup = ({ id, output }) => {
    const outputs = this.#outputs.get(id);
    return outputs && Object.hasOwn(outputs, output) ? { value: outputs[output] } : undefined;
  };

  release(step: Step): void {
    for (const id of sources(step)) {
      const left = (this.#askers.get(id) ?? 1) - 1;
      this.#askers.set(id, left);
      if (left === 0) this.#outputs.delete(id);
    }
  }
}

function sources(step: Step): Set<string> {
  return new Set([...Object.values(step.links), ...Object.values(step.extra)].map((link) => link.id));
}
