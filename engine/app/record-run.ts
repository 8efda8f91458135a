// The life of a run, for CLI and server alike: its folder is its own, it is in the journal before it begins, and its record is written however it ends.

import { stringifyJson } from "../base/json.ts";
import type { RunError, RunEvent } from "../graph/events.ts";
import type { RunHandle, RunOutcome } from "../host/compute-host.ts";
import type { EndState, Journal } from "../store/journal.ts";
import { takeLease } from "../store/lease.ts";
import type { OutputDirectory } from "../store/output-directory.ts";
import { writeResult } from "./journalled-run.ts";
import { RunRecord, type RunRecordOptions } from "./run-record.ts";
import type { RunView } from "./run-view.ts";
import { leftCheckpoint } from "./training/left-checkpoint.ts";

export interface RecordRunOptions extends RunRecordOptions {
  readonly journal: Journal;
  readonly directory: OutputDirectory;
  /** The record's name below the output directory. */
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  /** What the journal is to keep of a run that is not queued in it: see `writeRequest`. It is then told about once a second how far the run is. */
  readonly about?: { readonly request: string; readonly document: string };
  /** Follows it; the journal keeps what it has seen. */
  readonly view: RunView;
  /** Starts it. */
  readonly begin: (onEvent: (event: RunEvent) => void) => RunHandle;
  readonly onEvent: (event: RunEvent) => void;
  /** Asked when it was cancelled: a run that can be continued is then called paused. */
  readonly isPausing?: () => boolean;
}

export interface RecordedRun {
  readonly state: "finished" | "failed" | "cancelled";
  readonly error: RunError | undefined;
  readonly outcome: RunOutcome;
  readonly record: RunRecord;
}

/**
 * Preconditions: the id is new to the journal, or queued in it. Nothing is lost when the process dies in between: the journal
 * then calls the run interrupted. @throws AppError STORE_LEASED when another run writes into the same folder; STORE_*
 */
export async function recordRun(options: RecordRunOptions): Promise<{ readonly handle: RunHandle; readonly done: Promise<RecordedRun> }> {
  const { journal, directory, run, workflow, started, about, view } = options;
  const record = new RunRecord(options);
  const lease = await takeLease(directory.root, `run ${run}`);
  const notes = about && notesOf(options);
  let handle: RunHandle;
  try {
    journal.begin({ run, graph: workflow.sha256, output: directory.root, started, ...about });
    handle = options.begin((event) => {
      record.add(event);
      view.add(event);
      notes?.add(event);
      options.onEvent(event);
    });
  } catch (error) {
    await lease.release();
    throw error;
  }
  const done = async (): Promise<RecordedRun> => {
    try {
      const outcome = await handle.done;
      notes?.end();
      const { event } = outcome;
      await directory.saveAs(options.file, new TextEncoder().encode(`${stringifyJson(record.document(outcome), 2)}\n`));
      const error = "error" in event ? event.error : undefined;
      const state = event.kind === "run.failed" ? "failed" : event.kind === "run.cancelled" ? "cancelled" : "finished";
      const canResume = state !== "finished" && (await leftCheckpoint(directory.root, Object.values(view.trainings)));
      const called: EndState = state === "cancelled" && canResume && options.isPausing?.() ? "paused" : state;
      journal.end(run, called, event.at, error, writeResult(view, outcome, canResume));
      return { state, error, outcome, record };
    } finally {
      await lease.release();
    }
  };
  return { handle, done: done() };
}

const NOTE_MS = 1000;

/** Keeps the journal informed of a run that nobody hears the events of. */
function notesOf({ journal, run, view }: RecordRunOptions): { add(event: RunEvent): void; end(): void } {
  let timer: NodeJS.Timeout | undefined;
  const note = (): void => {
    timer = undefined;
    try {
      journal.note(run, writeResult(view, undefined, false, view.progress.node));
    } catch {
      // Others see less for a while. Its end, which counts, is written and reported on its own.
    }
  };
  return {
    add(event) {
      if (event.kind !== "node.progress" && event.kind !== "node.logged") timer ??= setTimeout(note, NOTE_MS).unref();
    },
    end: () => clearTimeout(timer),
  };
}
