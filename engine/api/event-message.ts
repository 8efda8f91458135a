// What the server sends over `WS /api/events?since=SEQ`. The client sends nothing: it makes its requests over HTTP.
import { z } from "zod";
import { runEvent } from "../graph/events.ts";
import { queueState, runSummary } from "./runs.ts";

/** Counts over all runs and restarts of the server, upwards; gaps mean nothing. */
const seq = z.number().int().nonnegative();

export const eventMessage = z.discriminatedUnion("kind", [
  /**
   * The first message. Every message after `since` follows, then new ones as they come. `isReset`: those are no longer kept (or `since` is from
   * another data folder), so load the queue and the runs anew, and continue from `seq`. Without `since` nothing old is sent.
   */
  z.object({ kind: z.literal("hello"), seq, isReset: z.boolean(), boot: z.string(), queue: queueState }),
  /** `event.seq` counts within the run. A picture in progress is sent live, and is not among what is sent again. */
  z.object({ kind: z.literal("run"), seq, event: runEvent }),
  /** A run was added or its state changed. */
  z.object({ kind: z.literal("summary"), seq, summary: runSummary }),
  z.object({ kind: z.literal("queue"), seq, queue: queueState }),
  /** Something was saved or removed: by another tab, by a run. */
  z.object({ kind: z.literal("changed"), seq, what: z.enum(["graphs", "input", "models", "settings"]), name: z.string().optional() }),
  /** A message about the server itself. */
  z.object({ kind: z.literal("log"), seq, level: z.enum(["info", "warn", "error"]), message: z.string() }),
  /** Every 5 s while anyone listens; not numbered, not kept. */
  z.object({ kind: z.literal("load"), computeBytes: z.number().nullable(), freeBytes: z.number() }),
]);
export type EventMessage = z.infer<typeof eventMessage>;

/** Close codes of the websocket. */
export const CLOSE = {
  /** The client did not read as fast as events came: connect again with the last `seq`. */
  slow: 4001,
  /** The server is shutting down: try again until it is back. */
  restart: 1012,
  /** The client sent something. */
  policy: 1008,
} as const;
