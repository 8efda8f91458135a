// What the journal keeps about a run in its texts. Command line and server write them alike; the server reads them.
import { z } from "zod";
import { issue } from "../api/error-body.ts";
import { fileRef } from "../api/files.ts";
import { parameter, runNode, score } from "../api/runs.ts";
import type { Issue } from "../base/issues.ts";
import { parseJson, stringifyJson } from "../base/json.ts";
import type { RunOutcome } from "../host/compute-host.ts";
import type { EndedRun, Journal, JournalEntry } from "../store/journal.ts";
import type { RunView } from "./run-view.ts";

const JSON_LIMITS = { maxCharacters: 2 ** 28, maxDepth: 200 };

/** `request` in the journal: what a list needs to know about a run. */
const request = z.object({
  name: z.string(),
  kind: z.enum(["run", "score"]),
  parent: z.string().nullable(),
  device: z.string(),
  steps: z.number(),
  resume: z.boolean(),
});
export type RunRequestForm = z.infer<typeof request>;

/** `document` in the journal: what it is made from. */
const document = z.object({
  workflow: z.unknown(),
  prompt: z.record(z.string(), z.unknown()).optional(),
  targets: z.array(z.string()).optional(),
  pinned: z.array(z.object({ node: z.string(), run: z.string() })).optional(),
  /** Files outside the roots, by the text that names them. */
  allowed: z.record(z.string(), z.string()).optional(),
  api: z.unknown(),
  parameters: z.array(parameter),
  warnings: z.array(issue),
  steps: z.array(z.object({ id: z.string(), type: z.string(), title: z.string() })),
});
export type RunDocument = z.infer<typeof document>;

/** `result` in the journal: what came of it, for lists. */
const result = z.object({
  ms: z.number().nullable(),
  peakMemoryBytes: z.number().nullable(),
  scores: z.array(score),
  pictures: z.array(fileRef),
  progress: z.object({ done: z.number(), total: z.number(), node: z.string().nullable() }),
  canResume: z.boolean(),
});
export type RunResult = z.infer<typeof result>;

/** `detail` in the journal: what became of each node. */
const detail = z.object({ nodes: z.array(runNode), keys: z.record(z.string(), z.string()), trainings: z.record(z.string(), z.string()) });
export type RunDetailForm = z.infer<typeof detail>;

export const NO_RESULT: RunResult = {
  ms: null,
  peakMemoryBytes: null,
  scores: [],
  pictures: [],
  progress: { done: 0, total: 0, node: null },
  canResume: false,
};
const NO_DETAIL: RunDetailForm = { nodes: [], keys: {}, trainings: {} };

/** The first two texts, when it begins or is queued. */
export function writeRequest(asked: RunRequestForm, from: RunDocument): { readonly request: string; readonly document: string } {
  return { request: stringifyJson(asked), document: stringifyJson(from) };
}

/** The other two: when it has ended, and while it runs elsewhere. @param outcome absent = it is not over, or its process was killed before it could report @param node that runs now */
export function writeResult(view: RunView, outcome: RunOutcome | undefined, canResume: boolean, node: string | null = null): EndedRun {
  const { scores, pictures, nodes } = view;
  const ended: RunResult = {
    ms: outcome && "ms" in outcome.event ? outcome.event.ms : null,
    peakMemoryBytes: outcome?.memory?.peakRss ?? null,
    scores,
    pictures,
    progress: { ...view.progress, node },
    canResume,
  };
  const form: RunDetailForm = { nodes, keys: { ...view.keys }, trainings: { ...view.trainings } };
  return { result: stringifyJson(ended), detail: stringifyJson(form) };
}

export function readRequest(entry: JournalEntry): RunRequestForm | undefined {
  return entry.request === "" ? undefined : request.parse(parseJson(entry.request, JSON_LIMITS));
}

export function readResult(entry: JournalEntry): RunResult {
  return entry.result === "" ? NO_RESULT : result.parse(parseJson(entry.result, JSON_LIMITS));
}

export function readDocuments(
  journal: Journal,
  run: string,
): { readonly document: RunDocument | undefined; readonly detail: RunDetailForm } {
  const found = journal.documents(run);
  return {
    document: found && found.document !== "" ? document.parse(parseJson(found.document, JSON_LIMITS)) : undefined,
    detail: found && found.detail !== "" ? detail.parse(parseJson(found.detail, JSON_LIMITS)) : NO_DETAIL,
  };
}

/** An issue without what others must not see. */
export function plainIssue({ code, path, message, hint }: Issue): z.infer<typeof issue> {
  return { code, path: [...path], message, ...(hint !== undefined && { hint }) };
}
