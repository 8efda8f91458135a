import type { RunEvent } from "../graph/events.ts";

/** A message together with its subject. */
export function loggedText({ message, source }: Pick<Extract<RunEvent, { kind: "node.logged" }>, "message" | "source">): string {
  return source === undefined ? message : `${message} (from ${source})`;
}
