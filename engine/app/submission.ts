// What a run is made from, and how it gets into the journal.
import { createHash } from "node:crypto";
import type { SubmitRun } from "../api/runs.ts";
import { AppError } from "../base/errors.ts";
import { stringifyJson } from "../base/json.ts";
import type { Registry } from "../node/registry.ts";
import type { Journal } from "../store/journal.ts";
import type { OutputDirectory } from "../store/output-directory.ts";
import { plainIssue, type RunDocument, type RunRequestForm, readRequest, writeRequest } from "./journalled-run.ts";
import { parametersOf } from "./parameters.ts";
import type { PlannedSubmission } from "./plan-submission.ts";
import type { RunHistory } from "./run-history.ts";
import { runId } from "./run-id.ts";

export interface Submission extends Omit<SubmitRun, "front"> {
  readonly kind?: RunRequestForm["kind"];
  readonly front?: boolean;
  readonly resume?: boolean;
  readonly parent?: string;
  readonly allowed?: Readonly<Record<string, string>> | undefined;
}

export interface EnqueueOptions {
  readonly journal: Journal;
  readonly output: OutputDirectory;
  readonly device: string;
  readonly registry: Registry;
}

/** Puts it into the journal, to wait. @returns its id @throws AppError STORE_JOURNAL */
export function enqueueRun(
  given: Submission,
  { plan, api, issues, warnings }: PlannedSubmission,
  { journal, output, device, registry }: EnqueueOptions,
): string {
  const { name, workflow, prompt, targets, pinned, allowed, client, key } = given;
  const created = Date.now();
  const run = runId(created);
  const document: RunDocument = {
    workflow,
    ...(prompt && { prompt }),
    ...(targets && { targets }),
    ...(pinned && { pinned }),
    ...(allowed && { allowed: { ...allowed } }),
    api,
    parameters: parametersOf(plan, registry),
    warnings: [...issues, ...warnings].map(plainIssue),
    steps: plan.steps.map(({ id, type, title }) => ({ id, type, title })),
  };
  const request: RunRequestForm = {
    name,
    kind: given.kind ?? "run",
    parent: given.parent ?? null,
    device,
    steps: plan.steps.length,
    resume: given.resume ?? false,
  };
  const first = journal.queued()[0];
  const priority = given.front && first ? first.priority - 1 : 0;
  const graph = createHash("sha256").update(stringifyJson(api)).digest("hex");
  journal.enqueue({ run, graph, output: output.root, client, key, priority, created, ...writeRequest(request, document) });
  return run;
}

/** The same workflow once more. @throws AppError RUN_NOT_FOUND, RUN_NO_WORKFLOW, RUN_CANNOT_RESUME */
export function submissionAgain(history: RunHistory, run: string, resume: boolean): Submission {
  const entry = history.entry(run);
  const made = history.document(run);
  const request = readRequest(entry);
  if (!made || !request)
    throw new AppError("RUN_NO_WORKFLOW", "this run is of a version that did not keep its workflow", {
      hint: "run its file again with `graph run`",
    });
  if (resume && !history.summary(run).canResume)
    throw new AppError("RUN_CANNOT_RESUME", "this run left nothing to continue from", {
      hint: "retry it: finished nodes are not run a second time",
    });
  const { workflow, prompt, targets, pinned, allowed } = made;
  return {
    workflow,
    ...(prompt && { prompt }),
    ...(targets && { targets }),
    ...(pinned && { pinned }),
    ...(allowed && { allowed }),
    name: request.name,
    kind: request.kind,
    client: entry.client || "server",
    // A second request within a moment is a double click.
    key: `${resume ? "resume" : "retry"}-${run}-${Math.floor(Date.now() / 1000)}`,
    parent: run,
    resume,
  };
}
