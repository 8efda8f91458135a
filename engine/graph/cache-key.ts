// Cache keys. A step's key is made as soon as the keys of its sources exist: before the run for most steps, during it for the rest.
import { sha256 } from "../base/hash.ts";
import { stringifyJson } from "../base/json.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Plan, Step } from "./plan.ts";

/** Key of a step: null = it must run each time; undefined = not known yet. */
export type StepKey = string | null | undefined;

/**
 * SHA-256 over the step itself and its sources. A link counts by the key of its source and the slot, never by node id.
 * @param sourceKey keys that are known so far
 * @param files identity of the file that each linked file input names; absent = not known yet
 */
export function cacheKey(
  step: Step,
  catalogue: Catalogue,
  sourceKey: (id: string) => StepKey,
  files: ReadonlyMap<string, string> = new Map(),
): StepKey {
  if (step.pinned !== undefined) return step.pinned;
  if (step.own === null) return null;
  const inputs = catalogue.get(step.type)?.inputs;
  const parts: unknown[] = [step.own];
  let isPending = false;
  for (const [name, { id, slot }] of [...Object.entries(step.links), ...Object.entries(step.extra)]) {
    const source = sourceKey(id);
    // A step with such a source runs each time, whatever else is unknown.
    if (source === null) return null;
    const input = inputs?.get(name);
    const isFile = input?.kind === "widget" && input.file !== undefined;
    if (source === undefined || (isFile && !files.has(name))) isPending = true;
    parts.push([name, source, slot, ...(isFile ? [files.get(name)] : [])]);
  }
  return isPending ? undefined : sha256(stringifyJson(parts));
}

/** The keys that are known before anything runs. */
export function keysBeforeRun(plan: Plan, catalogue: Catalogue): ReadonlyMap<string, StepKey> {
  const keys = new Map<string, StepKey>();
  for (const step of plan.steps)
    keys.set(
      step.id,
      cacheKey(step, catalogue, (id) => keys.get(id)),
    );
  return keys;
}
