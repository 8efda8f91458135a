// What happens in a run, as data: the CLI prints it, --json writes it, a browser folds it. `seq` counts from 0 within a run without gaps.
import { z } from "zod";

const NODE = { node: z.string(), type: z.string() };
/** Cache key that the result is kept under, for pinning it; null = it is not kept. */
const KEY = z.string().nullable();
/** Milliseconds of work. */
const MS = z.number().nonnegative();

/** Why a run or a node failed. */
export const runError = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  /** The node that failed, if one did. */
  node: z.string().optional(),
  type: z.string().optional(),
  title: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type RunError = z.infer<typeof runError>;

/** A file below the run's output directory. */
const savedFile = z.object({ filename: z.string(), subfolder: z.string(), type: z.enum(["output", "temp"]) });

const estimate = z.object({
  steps: z.number().optional(),
  seconds: z.number().optional(),
  memoryBytes: z.number().optional(),
  diskBytes: z.number().optional(),
  notes: z.array(z.string()).optional(),
});

/** What a trainer should be told while there is time. */
export const trainingAlarm = z.object({
  /** TRAIN_NO_FACE, TRAIN_NOTHING_LEARNED, TRAIN_OVERFIT … */
  code: z.string(),
  /** It began at; 0 = before the first. */
  update: z.number().int().nonnegative(),
  /** What to change; "" where the message says it. */
  hint: z.string(),
});
export type TrainingAlarm = z.infer<typeof trainingAlarm>;

/** What a node reports besides its outputs; replayed when its result comes from the cache. */
export const effect = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("node.shown"), ...NODE, ui: z.record(z.string(), z.array(z.unknown())) }),
  z.object({ kind: z.literal("node.scored"), ...NODE, name: z.string(), value: z.unknown() }),
  z.object({
    kind: z.literal("node.logged"),
    ...NODE,
    level: z.enum(["info", "warn"]),
    message: z.string(),
    /** The input that the message is about. */
    input: z.string().optional(),
    /** Where that input comes from in this run: a picture's file, or a node. Not cached, because the same result may come from another file. */
    source: z.string().optional(),
    alarm: trainingAlarm.optional(),
  }),
]);
export type Effect = z.infer<typeof effect>;

/** Characters of a preview's base64: about 190 kB of picture. A run may make thousands. */
export const MAX_PREVIEW = 256 * 1024;

const body = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("run.started"), /** Nodes in the plan. */ nodes: z.number().int().nonnegative() }),
  /** An output of the workflow that is not in the plan, because something it needs is wrong. */
  z.object({ kind: z.literal("node.skipped"), ...NODE, title: z.string() }),
  z.object({
    kind: z.literal("node.started"),
    ...NODE,
    title: z.string(),
    /** How the node ends when the run is cancelled: see NodeDeclaration.stop. */
    stop: z.literal("finish").optional(),
    /** Values that its linked widgets have in this run. */
    linked: z.record(z.string(), z.unknown()).optional(),
  }),
  z.object({
    kind: z.literal("node.progress"),
    ...NODE,
    value: z.number(),
    max: z.number(),
    note: z.string().optional(),
    /** The unfinished picture. */
    preview: z
      .object({ mime: z.enum(["image/jpeg", "image/png", "image/webp"]), /** The file's bytes. */ base64: z.base64().max(MAX_PREVIEW) })
      .optional(),
  }),
  /** Not run: its result is cached in memory or on disk, or everything that asks for it is. */
  z.object({ kind: z.literal("node.cached"), ...NODE, from: z.enum(["memory", "disk", "unneeded"]), key: KEY }),
  z.object({ kind: z.literal("node.finished"), ...NODE, ms: MS, key: KEY }),
  ...effect.options,
  z.object({ kind: z.literal("node.saved"), ...NODE, file: savedFile }),
  /** In a dry run: what would happen to the node. */
  z.object({
    kind: z.literal("node.planned"),
    ...NODE,
    title: z.string(),
    state: z.enum(["cached", "unneeded", "run"]),
    estimate: estimate.optional(),
    issues: z.array(z.object({ input: z.string().optional(), message: z.string(), hint: z.string().optional() })),
  }),
  z.object({ kind: z.literal("run.finished"), ms: MS }),
  z.object({ kind: z.literal("run.failed"), ms: MS, error: runError }),
  z.object({
    kind: z.literal("run.cancelled"),
    ms: MS,
    /** What the node that was running says about continuing. */ error: runError.optional(),
  }),
]);

/** An event without its envelope. */
export type RunEventBody = z.infer<typeof body>;

export const runEvent = z.intersection(
  z.object({
    run: z.string(),
    seq: z.number().int().nonnegative(),
    /** Milliseconds since 1970. */
    at: z.number(),
  }),
  body,
);
export type RunEvent = z.infer<typeof runEvent>;

export function isTerminal(event: { readonly kind: RunEventBody["kind"] }): boolean {
  return event.kind === "run.finished" || event.kind === "run.failed" || event.kind === "run.cancelled";
}
