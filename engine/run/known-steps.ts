// Before anything runs: which steps have a kept result, and which are not needed at all.
import { AppError } from "../base/errors.ts";
import { keysBeforeRun, type StepKey } from "../graph/cache-key.ts";
import type { Catalogue } from "../graph/catalogue.ts";
import type { Effect } from "../graph/events.ts";
import type { Opened } from "../graph/opened-file.ts";
import type { Plan, Step } from "../graph/plan.ts";
import type { Result, ResultCache, StoredResults } from "./result-cache.ts";

export type Decision =
  | {
      readonly run: true;
      readonly step: Step;
      /** undefined = it can be made only when the inputs exist; the step may turn out to have a kept result then. */
      readonly key: StepKey;
    }
  | {
      readonly run: false;
      readonly step: Step;
      readonly key: StepKey;
      readonly from: "memory" | "disk" | "unneeded";
      /** Present when a step that runs asks for them. */
      readonly outputs: Result["outputs"];
      readonly effects: readonly Effect[];
      readonly opened: readonly Opened[];
    };

/** Where results are kept. */
export interface Kept {
  readonly memory: ResultCache;
  readonly stored?: StoredResults;
  /** Whether files are as they were when a result was made. */
  readonly areSame: (files: readonly Opened[]) => Promise<boolean>;
}

/**
 * Decides from the outputs backwards: a known node is not run, and what only it asked for is not needed at all. So a checkpoint
 * of 20 billion weights is not even opened when everything that needs it is known. Values that will be asked for are read here:
 * a damaged entry is then simply not known.
 * @throws AppError PIN_LOST when a pinned result is asked for and not kept any more
 */
export async function knownSteps(plan: Plan, catalogue: Catalogue, kept: Kept): Promise<Decision[]> {
  const keys = keysBeforeRun(plan, catalogue);
  const asked = new Set<string>();
  const decisions: Decision[] = [];
  for (const step of [...plan.steps].reverse()) {
    const key = keys.get(step.id);
    const isAsked = asked.has(step.id);
    const known = typeof key === "string" ? await recall(key, isAsked, kept) : undefined;
    if (known) decisions.push({ run: false, step, key, ...known });
    else if (!step.isOutput && !isAsked)
      decisions.push({ run: false, step, key, from: "unneeded", outputs: null, effects: [], opened: [] });
    else if (step.pinned !== undefined)
      throw new AppError("PIN_LOST", `the pinned result of node ${step.id} (${step.title}) is not kept any more`, {
        hint: "unpin the node and run it again",
        details: { node: step.id },
      });
    else {
      decisions.push({ run: true, step, key });
      for (const link of [...Object.values(step.links), ...Object.values(step.extra)]) asked.add(link.id);
    }
  }
  return decisions.reverse();
}

export interface Known extends Result {
  readonly from: "memory" | "disk";
}

/** What is kept under a key; undefined when nothing is, not all that is needed, or files that it was made of have changed. */
export async function recall(key: string, needsOutputs: boolean, { memory, stored, areSame }: Kept): Promise<Known | undefined> {
  const result = memory.get(key);
  if (result && (result.outputs || !needsOutputs)) return (await areSame(result.opened)) ? { from: "memory", ...result } : undefined;
  if (!stored) return undefined;
  const about = await stored.peek(key);
  if (!about || !(await areSame(about.opened))) return undefined;
  if (!needsOutputs) return { from: "disk", outputs: null, ...about };
  const found = await stored.read(key);
  if (!found?.outputs) return undefined;
  // The next run of this process finds it there.
  memory.set(key, found);
  return { from: "disk", ...found };
}
