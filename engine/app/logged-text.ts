import type { RunEvent } from "../graph/events.ts";

/** A message with what it speaks of. */
export function loggedText({ message, source }: Pick<Extract<RunEvent, { kind: "node.logged" }>, "message" | "source">): string {
  return source === undefined ? message : `${message} (from ${source})`;
}
