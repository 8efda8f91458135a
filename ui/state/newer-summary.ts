import type { RunSummary } from "../../engine/api/runs.ts";

/** A run waits, runs and ends; trying again makes another run. */
function stageOf({ state }: Pick<RunSummary, "state">): number {
  return state === "queued" ? 0 : state === "running" ? 1 : 2;
}

/** Whether `told` is from before what is known: an answer may come later than the events that follow it. */
export function isOlder(told: Pick<RunSummary, "state">, known: Pick<RunSummary, "state"> | undefined): boolean {
  return known !== undefined && stageOf(told) < stageOf(known);
}

/** A run never goes back. */
export function newerSummary<T extends Pick<RunSummary, "state">>(told: T, known: T | undefined): T {
  return known !== undefined && isOlder(told, known) ? known : told;
}
