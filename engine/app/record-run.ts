// The life of a run, for CLI and server alike: it is in the journal before it begins, and its record is written however it ends.

import { stringifyJson } from "../base/json.ts";
import type { RunError, RunEvent } from "../graph/events.ts";
import type { RunHandle, RunOutcome } from "../host/compute-host.ts";
import type { EndedRun, EndState, Journal } from "../store/journal.ts";
import type { OutputDirectory } from "../store/output-directory.ts";
import { RunRecord, type RunRecordOptions } from "./run-record.ts";

export interface RecordRunOptions extends RunRecordOptions {
  readonly journal: Journal;
  readonly directory: OutputDirectory;
  /** The record's name below the output directory. */
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  /** Starts it. */
  readonly begin: (onEvent: (event: RunEvent) => void) => RunHandle;
  readonly onEvent: (event: RunEvent) => void;
  /** What the journal keeps about the run, and what its end is called: a run that was cancelled to be continued later is `paused`. */
  readonly conclude?: (outcome: RunOutcome, state: RecordedRun["state"]) => Promise<{ readonly state: EndState } & EndedRun>;
}

export interface RecordedRun {
  readonly state: "finished" | "failed" | "cancelled";
  readonly error: RunError | undefined;
  readonly outcome: RunOutcome;
  readonly record: RunRecord;
}

/**
 * Preconditions: the id is new to the journal, or queued in it. Nothing is lost when the process dies in between: the journal
 * then calls the run interrupted. @throws AppError STORE_*
 */
export function recordRun(options: RecordRunOptions): { readonly handle: RunHandle; readonly done: Promise<RecordedRun> } {
  const { journal, directory, run, workflow, started } = options;
  const record = new RunRecord(options);
  journal.begin({ run, graph: workflow.sha256, output: directory.root, started });
  const handle = options.begin((event) => {
    record.add(event);
    options.onEvent(event);
  });
  const done = async (): Promise<RecordedRun> => {
    const outcome = await handle.done;
    const { event } = outcome;
    await directory.saveAs(options.file, new TextEncoder().encode(`${stringifyJson(record.document(outcome), 2)}\n`));
    const error = "error" in event ? event.error : undefined;
    const state = event.kind === "run.failed" ? "failed" : event.kind === "run.cancelled" ? "cancelled" : "finished";
    const kept = await options.conclude?.(outcome, state);
    journal.end(run, kept?.state ?? state, event.at, error, kept);
    return { state, error, outcome, record };
  };
  return { handle, done: done() };
}
