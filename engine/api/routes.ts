// Every route of the native API, in one place: the server mounts this table, the editor makes its calls from it, and the guards' tests go through it.
import { z } from "zod";
import { fileInfo, fileList, fileRoot } from "./files.ts";
import { foundWorkflow, graphInfo, graphName, savedGraph, saveGraph, startingPoint } from "./graphs.ts";
import { modelDetail, modelList } from "./models.ts";
import { comparedPictures, comparison, preferenceCount, preferenceList } from "./preferences.ts";
import {
  dryRunReport,
  moveRun,
  queueState,
  runDetail,
  runPage,
  runSummary,
  scorePicture,
  submitRun,
  validation,
  workflowInput,
} from "./runs.ts";
import { settings, systemInfo } from "./system.ts";
import { curves, samples } from "./training.ts";

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** `:name` is one segment, `*name` one or more. */
  readonly path: string;
  /** Parameters of the path. All are text. */
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  /** JSON; `"bytes"`: the raw body is the file. */
  readonly body?: z.ZodType | "bytes";
  /** JSON; `"bytes"`: the file itself. */
  readonly answer: z.ZodType | "bytes";
}

const run = z.object({ id: z.string().max(100) });
const ofRoot = z.object({ root: fileRoot });
const file = ofRoot.extend({ name: z.string().max(1024) });
const count = (max: number, otherwise: number) => z.coerce.number().int().min(1).max(max).default(otherwise);

export const routes = {
  system: { method: "GET", path: "/api/system", answer: systemInfo },
  settings: { method: "GET", path: "/api/settings", answer: settings },
  saveSettings: { method: "PUT", path: "/api/settings", body: settings, answer: settings },
  /** The workflow named on the command line, as the file is now; SERVER_NOTHING_OPENED (404) when none was named. */
  opened: { method: "GET", path: "/api/opened", answer: z.object({ name: z.string(), document: z.unknown() }) },

  models: { method: "GET", path: "/api/models", answer: modelList },
  model: {
    method: "GET",
    path: "/api/models/:folder/*name",
    params: z.object({ folder: z.string(), name: z.string() }),
    answer: modelDetail,
  },

  files: {
    method: "GET",
    path: "/api/files/:root",
    params: ofRoot,
    query: z.object({ after: z.string().optional(), limit: count(1000, 200), kind: fileInfo.shape.kind.optional() }),
    answer: fileList,
  },
  /** The bytes; `width`: a webp thumbnail, made once. Ranges are answered. */
  file: {
    method: "GET",
    path: "/api/files/:root/*name",
    params: file,
    query: z.object({
      width: z.coerce.number().int().min(1).max(4096).optional(),
      /** For a thumbnail: leaves its transparency out. */
      opaque: z.literal("1").optional(),
      download: z.literal("1").optional(),
    }),
    answer: "bytes",
  },
  /**
   * The body is a png, jpeg or webp. A name that is taken by other bytes gets a number: use the answer's name.
   * With `maskOf`, a picture of the input folder, the body is a mask of it, bright where it masks, of any size: what is saved is that picture as a
   * PNG, transparent there (what LoadImage's MASK is read from); `profile` as LoadImage's `color_profile`.
   */
  upload: {
    method: "POST",
    path: "/api/files/input",
    query: z.object({
      name: z.string().min(1).max(200),
      maskOf: z.string().max(1024).optional(),
      profile: z.enum(["ignore", "convert"]).default("ignore"),
    }),
    body: "bytes",
    answer: fileInfo,
  },
  removeFile: { method: "DELETE", path: "/api/files/:root/*name", params: file, answer: z.object({}) },
  /** The workflow inside a picture; WORKFLOW_NONE (404) when it holds none. */
  fileWorkflow: { method: "GET", path: "/api/workflow-of/:root/*name", params: file, answer: foundWorkflow },
  /** The same for a file that is not on the server: its bytes are the body, and nothing is kept. */
  readWorkflow: { method: "POST", path: "/api/read-workflow", body: "bytes", answer: foundWorkflow },

  /** Which of two pictures of the output folder looks better, as its `preferences.jsonl` says: what PreferenceDataset reads. */
  preferences: { method: "GET", path: "/api/preferences", answer: preferenceList },
  /** On disk before the answer. PREFERENCE_KNOWN (409) when the two are compared already. */
  prefer: { method: "POST", path: "/api/preferences", body: comparison, answer: preferenceCount },
  /** Takes it back, whichever won. PREFERENCE_NONE (404) when there is none. */
  unprefer: { method: "DELETE", path: "/api/preferences", query: comparedPictures, answer: preferenceCount },

  graphs: { method: "GET", path: "/api/graphs", answer: z.object({ graphs: z.array(graphInfo) }) },
  graph: { method: "GET", path: "/api/graphs/:name", params: z.object({ name: graphName }), answer: savedGraph },
  saveGraph: { method: "PUT", path: "/api/graphs/:name", params: z.object({ name: graphName }), body: saveGraph, answer: graphInfo },
  removeGraph: { method: "DELETE", path: "/api/graphs/:name", params: z.object({ name: graphName }), answer: z.object({}) },
  gallery: { method: "GET", path: "/api/gallery", answer: z.object({ points: z.array(startingPoint) }) },
  galleryGraph: {
    method: "GET",
    path: "/api/gallery/:name",
    params: z.object({ name: graphName }),
    answer: z.object({ point: startingPoint, document: z.unknown() }),
  },
  galleryPicture: { method: "GET", path: "/api/gallery/:name/picture", params: z.object({ name: graphName }), answer: "bytes" },

  validate: { method: "POST", path: "/api/validate", body: workflowInput, answer: validation },
  /** WORKFLOW_INVALID is not an error here: its issues are in the report. Waits for the compute process if it is starting. */
  dryRun: { method: "POST", path: "/api/dry-run", body: workflowInput, answer: dryRunReport },
  score: { method: "POST", path: "/api/score", body: scorePicture, answer: runSummary },

  /** WORKFLOW_INVALID (422) with `issues`. The run is on disk before the answer. */
  submit: { method: "POST", path: "/api/runs", body: submitRun, answer: runSummary },
  runs: {
    method: "GET",
    path: "/api/runs",
    query: z.object({ before: z.string().optional(), limit: count(200, 50), graph: z.string().optional(), state: z.string().optional() }),
    answer: runPage,
  },
  run: { method: "GET", path: "/api/runs/:id", params: run, answer: runDetail },
  /** Queued: gone at once. Running: asked to end, and killed when it doesn't. */
  cancel: { method: "POST", path: "/api/runs/:id/cancel", params: run, answer: runSummary },
  /** A running training ends its step, saves and is `paused`; RUN_CANNOT_PAUSE (409) for anything else. */
  pause: { method: "POST", path: "/api/runs/:id/pause", params: run, answer: runSummary },
  /** A new run of the same workflow; results that are still cached are not computed again. */
  retry: { method: "POST", path: "/api/runs/:id/retry", params: run, answer: runSummary },
  /** A new run that continues from the checkpoint; RUN_CANNOT_RESUME (409) when there is none. */
  resume: { method: "POST", path: "/api/runs/:id/resume", params: run, answer: runSummary },
  /** Removes it from the history; its files stay. RUN_ACTIVE (409) while it is queued or running. */
  removeRun: { method: "DELETE", path: "/api/runs/:id", params: run, answer: z.object({}) },
  curves: {
    method: "GET",
    path: "/api/runs/:id/curves",
    params: run,
    /** `after`: only points of later updates. `node`: when a run has several trainings. */
    query: z.object({ after: z.coerce.number().int().min(0).default(0), node: z.string().optional() }),
    answer: curves,
  },
  samples: {
    method: "GET",
    path: "/api/runs/:id/samples",
    params: run,
    query: z.object({ node: z.string().optional() }),
    answer: samples,
  },
  /** A LoRA for ComfyUI from a checkpoint: the newest, the best by its held-out reward, or the one after that update. */
  exportLora: {
    method: "GET",
    path: "/api/runs/:id/lora",
    params: run,
    query: z.object({
      node: z.string().optional(),
      update: z.union([z.literal("best"), z.coerce.number().int().nonnegative()]).optional(),
      format: z.enum(["comfyui", "diffusers", "kohya"]).default("comfyui"),
    }),
    answer: "bytes",
  },

  queue: { method: "GET", path: "/api/queue", answer: queueState },
  /** The current run continues; no new one begins. */
  pauseQueue: { method: "POST", path: "/api/queue/pause", answer: queueState },
  resumeQueue: { method: "POST", path: "/api/queue/resume", answer: queueState },
  move: { method: "POST", path: "/api/queue/move", body: moveRun, answer: queueState },
  /** Cancels everything that waits. */
  clearQueue: { method: "POST", path: "/api/queue/clear", answer: queueState },
} as const satisfies Readonly<Record<string, Route>>;

export type RouteName = keyof typeof routes;
type Schema<T, Else> = T extends z.ZodType ? z.input<T> : Else;
type Part<R, K extends string, Else> = K extends keyof R ? Schema<R[K], Else> : Else;

/** What a caller gives. */
export interface Asked<N extends RouteName> {
  readonly params: Part<(typeof routes)[N], "params", undefined>;
  readonly query: Part<(typeof routes)[N], "query", undefined>;
  readonly body: (typeof routes)[N] extends { readonly body: "bytes" } ? Uint8Array : Part<(typeof routes)[N], "body", undefined>;
}
/** What comes back. */
export type Answer<N extends RouteName> = (typeof routes)[N]["answer"] extends z.ZodType<infer T> ? T : Uint8Array;

/** Bodies larger than this are answered BODY_TOO_LARGE (413). */
export const MAX_JSON_BYTES = 16 * 2 ** 20;
export const MAX_UPLOAD_BYTES = 64 * 2 ** 20;
/** A write must carry it, so that a page of another origin can't make one without a preflight. */
export const CLIENT_HEADER = "x-whos-who";

/** The path with its parameters filled in and encoded; `*name` keeps its slashes. */
export function routeUrl(
  route: Route,
  params: Readonly<Record<string, string>> = {},
  query: Readonly<Record<string, unknown>> = {},
): string {
  const path = route.path.replace(/([:*])(\w+)/g, (_all, kind: string, name: string) =>
    (kind === "*" ? (params[name] ?? "").split("/") : [params[name] ?? ""]).map(encodeURIComponent).join("/"),
  );
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as const]));
  return given.length === 0 ? path : `${path}?${new URLSearchParams(Object.fromEntries(given))}`;
}
