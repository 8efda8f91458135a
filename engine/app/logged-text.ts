import type { RunEvent } from "../graph/events.ts";

/** A message together with its subject and its remedy. */
export function loggedText({
  message,
  source,
  alarm,
}: Pick<Extract<RunEvent, { kind: "node.logged" }>, "message" | "source" | "alarm">): string {
  const text = source === undefined ? message : `${message} (from ${source})`;
  return alarm === undefined || alarm.hint === "" ? text : `${text}: ${alarm.hint}`;
}
