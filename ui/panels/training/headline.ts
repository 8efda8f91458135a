import type { RunState } from "../../../engine/api/runs.ts";
import type { Curves } from "../../../engine/api/training.ts";
import { duration, short } from "../numbers.ts";

/** `update 34 of 60, 2 min 10 s left, best held-out reward 0.71 at update 30`. */
export function headline({ updates, secondsLeft, best }: Pick<Curves, "updates" | "secondsLeft" | "best">, state: RunState): string {
  const { done, total } = updates;
  const parts = [
    done === 0 && state === "running" ? "the first update is being made" : `update ${count(done)}${total > 0 ? ` of ${count(total)}` : ""}`,
  ];
  if (state === "running" && secondsLeft !== null && done < total) parts.push(`${duration(secondsLeft)} left`);
  if (state === "queued") parts.push("waits in the queue");
  if (state === "paused") parts.push("paused");
  if (state === "cancelled") parts.push("stopped");
  if (state === "interrupted") parts.push("interrupted: the server ended");
  if (state === "failed") parts.push("failed");
  if (best) parts.push(`best held-out reward ${short(best.value)} at update ${count(best.update)}`);
  const text = parts.join(", ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}
