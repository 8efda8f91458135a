// What parent, child and thread say to each other. Every message is checked where it arrives.
import { z } from "zod";
import { DEVICES } from "../graph/devices.ts";
import { runError, runEvent } from "../graph/events.ts";
import type { Plan } from "../graph/plan.ts";

const bytes = z.number().int().nonnegative();

/** How the child is set up, once. */
export const computeSettings = z.object({
  device: z.enum(DEVICES),
  threads: z.number().int().positive().optional(),
  /** Budget of the results kept in memory; never more than an eighth of what the process may use. */
  memoryBytes: bytes,
  /** When the computing thread gives no sign of life for this long during a run, the process ends itself. Default: 1 h. */
  stuckMs: z.number().positive().optional(),
  /** Results kept on disk; absent = none. */
  stored: z.object({ folder: z.string(), budgetBytes: bytes, salt: z.string() }).optional(),
});
export type ComputeSettings = z.infer<typeof computeSettings>;

const stepLink = z.object({ id: z.string(), slot: z.number(), output: z.string() });
const plan = z.object({
  steps: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      version: z.string(),
      title: z.string(),
      own: z.string().nullable(),
      pinned: z.string().optional(),
      isOutput: z.boolean(),
      widgets: z.record(z.string(), z.unknown()),
      links: z.record(z.string(), stepLink),
      extra: z.record(z.string(), stepLink),
    }),
  ),
  skipped: z.array(z.object({ id: z.string(), type: z.string(), title: z.string() })),
}) satisfies z.ZodType<Plan>;

/** Folders to search, and paths by the text that names them: see InputFileOptions. */
export interface Places {
  readonly roots: readonly string[];
  readonly allowed: Readonly<Record<string, string>>;
  /** Of input files. */
  readonly folders?: Readonly<Record<string, string>> | undefined;
}

const places = z.object({
  roots: z.array(z.string()),
  allowed: z.record(z.string(), z.string()),
  folders: z.record(z.string(), z.string()).optional(),
});

export interface RunRequest {
  readonly run: string;
  /** "dry" estimates and checks, and saves nothing. */
  readonly mode: "run" | "dry";
  readonly plan: Plan;
  /** The workflow as it was given, for saving into pictures. */
  readonly workflow: { readonly prompt: unknown; readonly workflow?: unknown };
  /** The run's output directory. */
  readonly output: string;
  /** Continue an earlier run's state (a checkpoint), and fail when there is none. */
  readonly resume: boolean;
  readonly inputs: Places;
  readonly models: Places;
}

const runRequest = z.object({
  run: z.string(),
  mode: z.enum(["run", "dry"]),
  plan,
  workflow: z.object({ prompt: z.unknown(), workflow: z.unknown().optional() }),
  output: z.string(),
  resume: z.boolean(),
  inputs: places,
  models: places,
}) satisfies z.ZodType<RunRequest>;

export const toChild = z.discriminatedUnion("kind", [
  /** Sent by the main thread only. */
  z.object({ kind: z.literal("flushed") }),
  z.object({ kind: z.literal("init"), settings: computeSettings }),
  z.object({ kind: z.literal("run"), request: runRequest }),
  z.object({ kind: z.literal("cancel"), run: z.string() }),
  /** Whether anyone would see pictures of what is not finished; nobody at the start. */
  z.object({ kind: z.literal("watch"), isWatched: z.boolean() }),
]);
export type ToChild =
  | { readonly kind: "init"; readonly settings: ComputeSettings }
  | { readonly kind: "run"; readonly request: RunRequest }
  | { readonly kind: "cancel"; readonly run: string }
  | { readonly kind: "watch"; readonly isWatched: boolean }
  | { readonly kind: "flushed" };

/** Memory of the child process, in bytes. Parts that the system does not report are absent. */
export const memoryReading = z.object({
  rss: bytes,
  /** Memory that is not backed by a file, so without mapped weights. */
  anonymous: bytes.optional(),
  peakRss: bytes,
  peakAnonymous: bytes.optional(),
});
export type MemoryReading = z.infer<typeof memoryReading>;

export const fromChild = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready") }),
  z.object({ kind: z.literal("heartbeat"), memory: memoryReading }),
  z.object({ kind: z.literal("events"), events: z.array(runEvent), memory: memoryReading }),
  /** The child ends itself after this. */
  z.object({ kind: z.literal("dying"), error: runError }),
]);
export type FromChild = z.infer<typeof fromChild>;

export const fromThread = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready") }),
  z.object({ kind: z.literal("event"), event: runEvent }),
  /** Asks for `flushed` once every event so far has left the process. */
  z.object({ kind: z.literal("flush") }),
  z.object({ kind: z.literal("dying"), error: runError }),
]);
export type FromThread = z.infer<typeof fromThread>;
