// Before anything runs: which steps have a kept result, and which are not needed at all.
import { AppError } from "../base/errors.ts";
import { keysBeforeRun, type StepKey } from "../graph/cache-key.ts";
import type { Catalogue } from "../graph/catalogue.ts";
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
  | ({
      readonly run: false;
      readonly step: Step;
      readonly key: StepKey;
    } & Found);

/** Where results are kept. */
export interface Kept {
  readonly memory: ResultCache;
  readonly stored?: StoredResults;
  /** Whether files are unchanged since a result was made. */
  readonly areSame: (files: readonly Opened[]) => Promise<boolean>;
}

/**
 * Decides from the outputs backwards: a known node is not run, and what only it needed is not needed at all. So a checkpoint
 * of 20 billion weights is not even opened when everything that needs it is known. Outputs on disk are not read yet.
 * @throws AppError PIN_LOST when a pinned result is asked for and not kept any more
 */
export async function knownSteps(plan: Plan, catalogue: Catalogue, kept: Kept): Promise<Decision[]> {
  const keys = keysBeforeRun(plan, catalogue);
  const asked = new Set<string>();
  const decisions: Decision[] = [];
  for (const step of [...plan.steps].reverse()) {
    const key = keys.get(step.id);
    const isAsked = asked.has(step.id);
    const known = typeof key === "string" ? await find(key, isAsked, kept) : undefined;
    if (known) decisions.push({ run: false, step, key, ...known });
    else if (!step.isOutput && !isAsked)
      decisions.push({ run: false, step, key, from: "unneeded", outputs: null, isOnDisk: false, effects: [], opened: [] });
    else if (step.pinned !== undefined) throw pinLost(step);
    else {
      decisions.push({ run: true, step, key });
      for (const link of [...Object.values(step.links), ...Object.values(step.extra)]) asked.add(link.id);
    }
  }
  return decisions.reverse();
}

export interface Known extends Result {
  readonly from: "memory" | "disk" | "unneeded";
}

/** `outputs` are present when a step that runs asks for them and they are in memory. */
interface Found extends Known {
  /** A step that runs asks for the outputs, and they are on disk: see {@link readOutputs}. */
  readonly isOnDisk: boolean;
}

/** What is kept under a key, with outputs left on disk. Undefined when there is nothing, when needed outputs are missing, or when files it was made from have changed. */
async function find(key: string, needsOutputs: boolean, { memory, stored, areSame }: Kept): Promise<Found | undefined> {
  const result = memory.get(key);
  if (result && (result.outputs || !needsOutputs))
    return (await areSame(result.opened)) ? { from: "memory", isOnDisk: false, ...result } : undefined;
  const about = await stored?.peek(key);
  if (!about || (needsOutputs && !about.hasOutputs) || !(await areSame(about.opened))) return undefined;
  return { from: "disk", isOnDisk: needsOutputs, outputs: null, effects: about.effects, opened: about.opened };
}

/** A found result with its outputs; undefined when they have been lost since. The next run of this process finds them in memory. */
export async function readOutputs(key: StepKey, found: Found, { memory, stored }: Kept): Promise<Known | undefined> {
  if (!found.isOnDisk || typeof key !== "string") return found;
  const inMemory = memory.get(key);
  if (inMemory?.outputs) return { from: "memory", ...inMemory };
  const result = await stored?.read(key);
  if (!result?.outputs) return undefined;
  memory.set(key, result);
  return { from: "disk", ...result };
}

/** What is kept under a key, with its outputs. Undefined when anything is missing, or when files it was made from have changed. */
export async function recall(key: string, kept: Kept): Promise<Known | undefined> {
  const found = await find(key, true, kept);
  return found && readOutputs(key, found, kept);
}

export function pinLost(step: Step): AppError {
  return new AppError("PIN_LOST", `the pinned result of node ${step.id} (${step.title}) is not kept any more`, {
    hint: "unpin the node and run it again",
    details: { node: step.id },
  });
}
