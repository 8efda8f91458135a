// What a run would do and cost: cheap nodes run, nodes with a `dryRun` are asked, nothing is saved. Reports every issue, not only the first.
import { AppError, toAppError } from "../base/errors.ts";
import type { RunEventBody } from "../graph/events.ts";
import type { Step } from "../graph/plan.ts";
import type { DryRun } from "../node/define-node.ts";
import { type ExecuteOptions, envelope, keptResults, runErrorOf } from "./execute.ts";
import { knownSteps, readOutputs } from "./known-steps.ts";
import { nodeContext } from "./node-context.ts";
import { runInputs } from "./run-inputs.ts";
import { stepSource } from "./step-source.ts";
import type { World } from "./world.ts";

/** Emits one `node.planned` per step, then `run.finished`, or `run.failed` with DRY_RUN_ISSUES when any step has an issue. Never throws. */
export async function dryRun(options: ExecuteOptions): Promise<void> {
  const { plan, registry, world, signal, poll } = options;
  const emit = envelope(options.run, world.clock, options.emit);
  const started = world.now();
  emit({ kind: "run.started", nodes: plan.steps.length });
  for (const { id, type, title } of plan.skipped) emit({ kind: "node.skipped", node: id, type, title });
  const values = new Map<string, Readonly<Record<string, unknown>>>();
  let issues = 0;
  try {
    const kept = keptResults(options);
    for (const decision of await knownSteps(plan, registry, kept)) {
      poll?.();
      signal.throwIfAborted();
      const { step } = decision;
      const of = { node: step.id, type: step.type, title: step.title };
      const known = decision.run ? undefined : await readOutputs(decision.key, decision, kept);
      if (known) {
        if (known.outputs) values.set(step.id, known.outputs);
        emit({ kind: "node.planned", ...of, state: known.from === "unneeded" ? "unneeded" : "cached", issues: [] });
        continue;
      }
      const { issues: found = [], estimate } = await rehearseNode(options, step, values, emit);
      issues += found.length;
      emit({
        kind: "node.planned",
        ...of,
        state: "run",
        ...(estimate && { estimate: { ...estimate, notes: [...(estimate.notes ?? [])] } }),
        issues: [...found],
      });
    }
    if (issues === 0) emit({ kind: "run.finished", ms: world.now() - started });
    else {
      const error = {
        code: "DRY_RUN_ISSUES",
        message: `${issues} ${issues === 1 ? "issue" : "issues"} would end this run`,
        hint: "see the nodes' issues",
      };
      emit({ kind: "run.failed", ms: world.now() - started, error });
    }
  } catch (error) {
    if (signal.aborted) emit({ kind: "run.cancelled", ms: world.now() - started });
    else emit({ kind: "run.failed", ms: world.now() - started, error: runErrorOf(error) });
  }
}

async function rehearseNode(
  { registry, plan, world, signal, poll }: ExecuteOptions,
  step: Step,
  values: Map<string, Readonly<Record<string, unknown>>>,
  emit: (event: RunEventBody) => void,
): Promise<DryRun> {
  const node = registry.node(step.type);
  if (!node || (!node.dryRun && !node.isCheap)) return {};
  const checkCancelled = (): void => {
    poll?.();
    signal.throwIfAborted();
  };
  // Cheap nodes really run, but what they score or show is not a result yet.
  const quiet = (event: RunEventBody): void => {
    if (event.kind === "node.logged") emit(event);
  };
  const sourceOf = (name: string): string | undefined => stepSource(plan, registry)(step, name);
  const ctx = nodeContext({ world: readOnly(world), step, stop: undefined, signal, checkCancelled, emit: quiet, sourceOf, effects: [] });
  try {
    const { inputs, extra, missing } = runInputs(step, registry, ({ id, output }) => {
      const outputs = values.get(id);
      return outputs && Object.hasOwn(outputs, output) ? { value: outputs[output] } : undefined;
    });
    if (node.isCheap && missing.length === 0) values.set(step.id, await node.run(inputs, ctx, extra));
    return (await node.dryRun?.(inputs, ctx, extra)) ?? {};
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    const { message, hint } = toAppError(thrown);
    return { issues: [{ message, ...(hint !== undefined && { hint }) }] };
  }
}

/** The same world with every door for writing closed. */
function readOnly(world: World): World {
  const refuse = async (): Promise<never> => {
    throw new AppError("DRY_RUN", "a dry run writes nothing", { hint: "a node must not save during a dry run" });
  };
  return {
    ...world,
    save: refuse,
    saveAs: refuse,
    runDirectory: async (name) => ({ ...(await world.runDirectory(name)), write: refuse, append: refuse, remove: refuse }),
  };
}
