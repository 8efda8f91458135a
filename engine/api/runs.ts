// A run: submitted, queued, running, ended; and everything known about it afterwards.
import { z } from "zod";
import { runError } from "../graph/events.ts";
import { issue } from "./error-body.ts";
import { fileRef } from "./files.ts";
import { alarm } from "./training.ts";

/**
 * `paused`: stopped by its user at a point it can continue from (a training ends its step and saves). `interrupted`: the server died.
 * Both can be resumed when `canResume`, and retried like any run that has ended.
 */
export const runState = z.enum(["queued", "running", "paused", "finished", "failed", "cancelled", "interrupted"]);
export type RunState = z.infer<typeof runState>;

/** A workflow before it is a run. */
export const workflowInput = z.object({
  /** UI format (preferred: it is written into the pictures) or API format. 64-bit seeds are written as digits: see `stringifyJson`. */
  workflow: z.unknown(),
  /** What is executed, when it isn't what `workflow` converts to. */
  prompt: z.record(z.string(), z.unknown()).optional(),
  /** Only these output nodes (ids of the prompt). "Run to here" on a node without `isOutput` is not possible: preview it. */
  targets: z.array(z.string()).max(2000).optional(),
  /** Results kept as they were in an earlier run, whatever changed upstream of them. PIN_LOST when they are gone. */
  pinned: z
    .array(z.object({ node: z.string(), run: z.string() }))
    .max(2000)
    .optional(),
});
export type WorkflowInput = z.infer<typeof workflowInput>;

export const submitRun = workflowInput.extend({
  /** Shown in the history; usually the tab's name. */
  name: z.string().max(200).default("untitled"),
  /** Before everything that waits. */
  front: z.boolean().default(false),
  /** The client that asks: one id per browser tab. */
  client: z.string().min(1).max(100),
  /** Made by the client for each press of Run: sent again after a lost answer, the same run comes back and nothing runs twice. */
  key: z.string().min(8).max(100),
});
export type SubmitRun = z.infer<typeof submitRun>;

const nodePlace = { node: z.string(), type: z.string(), title: z.string() };

/** A widget value that differs from the node's default, or one that names a file. */
export const parameter = z.object({ ...nodePlace, input: z.string(), value: z.unknown() });
export const score = z.object({ ...nodePlace, name: z.string(), value: z.unknown() });

export const runSummary = z.object({
  id: z.string(),
  state: runState,
  name: z.string(),
  /** `run`, or `score` for one made by POST /api/score. */
  kind: z.enum(["run", "score"]),
  client: z.string(),
  /** SHA-256 of the prompt: equal graphs have equal ones. */
  graph: z.string(),
  /** Milliseconds since 1970. */
  created: z.number(),
  started: z.number().nullable(),
  ended: z.number().nullable(),
  /** From 0 at the front; null unless queued. */
  position: z.number().int().nullable(),
  /** Steps done of all; and the node that runs. */
  progress: z.object({ done: z.number(), total: z.number(), node: z.string().nullable() }),
  /** A training with a checkpoint: `resume` continues from it. */
  canResume: z.boolean(),
  /** The run this one retries or resumes. */
  parent: z.string().nullable(),
  device: z.string(),
  /** Time spent working, without waiting; null until it ends. */
  ms: z.number().nullable(),
  peakMemoryBytes: z.number().nullable(),
  scores: z.array(score),
  /** Pictures it made, at most 8, saved ones before previews: thumbnails by `fileUrl(ref, 256)`. */
  pictures: z.array(fileRef),
  error: runError.nullable(),
});
export type RunSummary = z.infer<typeof runSummary>;

export const runNode = z.object({
  id: z.string(),
  type: z.string(),
  title: z.string(),
  state: z.enum(["waiting", "running", "finished", "cached", "unneeded", "failed", "skipped"]),
  ms: z.number().optional(),
  /** What it showed last: see `shown`. */
  shown: z.record(z.string(), z.array(z.unknown())).optional(),
  /** Values that its linked widgets had. */
  linked: z.record(z.string(), z.unknown()).optional(),
  files: z.array(fileRef),
  logs: z.array(z.object({ level: z.enum(["info", "warn"]), message: z.string() })),
  /** Of a training. */
  alarms: z.array(alarm).optional(),
});

export const runDetail = z.object({
  summary: runSummary,
  parameters: z.array(parameter),
  /** As it was submitted. */
  workflow: z.unknown(),
  prompt: z.unknown(),
  nodes: z.array(runNode),
  warnings: z.array(issue),
  /** A training's nodes: GET /api/runs/:id/curves?node=ID. */
  trainings: z.array(z.string()),
});
export type RunDetail = z.infer<typeof runDetail>;

export const runPage = z.object({
  /** Newest first; queued and running ones too. */
  runs: z.array(runSummary),
  /** Pass as `before` for the next page; null at the end. */
  next: z.string().nullable(),
});

/** The whole queue: sent whenever it changes. */
export const queueState = z.object({
  isPaused: z.boolean(),
  running: z.string().nullable(),
  /** Ids, the next one first. */
  queued: z.array(z.string()),
});
export type QueueState = z.infer<typeof queueState>;

export const moveRun = z.object({
  run: z.string(),
  /** The queued run it goes before; null = to the end. */
  before: z.string().nullable(),
});

/** Answer of `validate`: always 200; what is wrong is data. */
export const validation = z.object({
  ok: z.boolean(),
  /** Missing files and models too, which the page cannot know. */
  issues: z.array(issue),
  warnings: z.array(issue),
  /** Nodes that would run, when ok. */
  steps: z.number().int(),
});

export const dryRunReport = z.object({
  nodes: z.array(
    z.object({
      id: z.string(),
      state: z.enum(["cached", "unneeded", "run"]),
      seconds: z.number().optional(),
      memoryBytes: z.number().optional(),
      diskBytes: z.number().optional(),
      notes: z.array(z.string()),
    }),
  ),
  /** Path [node id, input]; those of the workflow and those the nodes found. */
  issues: z.array(issue),
  warnings: z.array(issue),
  total: z.object({ seconds: z.number(), memoryBytes: z.number(), diskBytes: z.number() }),
  /** What this machine has, and a sentence for each thing that won't fit (MEMORY_TOO_SMALL, DISK_TOO_SMALL). */
  available: z.object({ memoryBytes: z.number(), diskBytes: z.number().nullable() }),
  shortages: z.array(issue),
});
export type DryRunReport = z.infer<typeof dryRunReport>;

/** Scores one picture by a REWARD of a workflow, without training. The answer is a run of kind `score`, at the front of the queue. */
export const scorePicture = workflowInput.omit({ targets: true, pinned: true }).extend({
  /** Node and slot of the REWARD. */
  node: z.string(),
  slot: z.number().int().nonnegative().default(0),
  picture: fileRef,
  /** The people it should show, in the order of the reward's references. */
  references: z.array(fileRef).max(16).default([]),
  prompt_text: z.string().max(10_000).default(""),
  client: z.string().min(1).max(100),
  key: z.string().min(8).max(100),
});
