// Which steps of a plan have to run, given what is known from before.
import type { Effect } from "../graph/events.ts";
import type { Plan, Step } from "../graph/plan.ts";
import type { Result, ResultCache, StoredResults } from "./result-cache.ts";

export type Decision =
  | { readonly run: true; readonly step: Step }
  | {
      readonly run: false;
      readonly step: Step;
      readonly from: "memory" | "disk" | "unneeded";
      /** Present when a step that runs asks for them. */
      readonly outputs: Result["outputs"];
      readonly effects: readonly Effect[];
    };

/**
 * Decides from the outputs backwards: a known node is not run, and what only it asked for is not needed at all. So a checkpoint
 * of 20 billion weights is not even opened when everything that needs it is known. Values that will be asked for are read here:
 * a damaged entry is then simply not known.
 */
export async function knownSteps(plan: Plan, memory: ResultCache, stored: StoredResults | undefined): Promise<Decision[]> {
  const asked = new Set<string>();
  const decisions: Decision[] = [];
  for (let i = plan.steps.length - 1; i >= 0; i--) {
    const step = plan.steps[i];
    if (!step) continue;
    const known = await recall(step, asked.has(step.id), memory, stored);
    if (known) decisions.push({ run: false, step, ...known });
    else if (!step.isOutput && !asked.has(step.id)) decisions.push({ run: false, step, from: "unneeded", outputs: null, effects: [] });
    else {
      decisions.push({ run: true, step });
      for (const link of [...Object.values(step.links), ...Object.values(step.extra)]) asked.add(link.id);
    }
  }
  return decisions.reverse();
}

type Known = { readonly from: "memory" | "disk"; readonly outputs: Result["outputs"]; readonly effects: readonly Effect[] };

function recall(
  step: Step,
  needsOutputs: boolean,
  memory: ResultCache,
  stored: StoredResults | undefined,
): Known | undefined | Promise<Known | undefined> {
  if (step.key === null) return undefined;
  const result = memory.get(step.key);
  if (result && (result.outputs || !needsOutputs)) return { from: "memory", ...result };
  return stored && recallStored(step.key, needsOutputs, stored);
}

async function recallStored(key: string, needsOutputs: boolean, stored: StoredResults): Promise<Known | undefined> {
  if (!needsOutputs) {
    const effects = await stored.peek(key);
    return effects && { from: "disk", outputs: null, effects };
  }
  const result = await stored.read(key);
  return result?.outputs ? { from: "disk", ...result } : undefined;
}
