// Past, current and queued runs as people see them, those of the command line too.
import type { FileRef } from "../api/files.ts";
import type { RunDetail, RunSummary, WorkflowInput } from "../api/runs.ts";
import { AppError } from "../base/errors.ts";
import type { Journal, JournalEntry } from "../store/journal.ts";
import { NO_RESULT, type RunDocument, readDocuments, readRequest, readResult } from "./journalled-run.ts";
import type { RunView } from "./run-view.ts";
import { savedBy, savedIn } from "./saved-files.ts";
import { SAMPLES } from "./training/read-training.ts";

export interface RunHistoryOptions {
  readonly journal: Journal;
  /** Where the server's own runs save. */
  readonly output: string;
  /** What is known of the run that runs here now. */
  readonly live: (run: string) => RunView | undefined;
  /** Ids of what waits, the next one first. */
  readonly queued: () => readonly string[];
}

export class RunHistory {
  readonly #options: RunHistoryOptions;

  constructor(options: RunHistoryOptions) {
    this.#options = options;
  }

  /** @throws AppError RUN_NOT_FOUND */
  entry(run: string): JournalEntry {
    const entry = this.#options.journal.get(run);
    if (!entry)
      throw new AppError("RUN_NOT_FOUND", `there is no run ${run.slice(0, 100)}`, {
        hint: "it may have been removed: load the runs again",
      });
    return entry;
  }

  /** What the run is made from; undefined for runs of versions that did not keep it. */
  document(run: string): RunDocument | undefined {
    return readDocuments(this.#options.journal, run).document;
  }

  /** @throws AppError RUN_NOT_FOUND */
  summary(run: string): RunSummary {
    return this.#summaryOf(this.entry(run));
  }

  list(page: Parameters<Journal["list"]>[0]): readonly RunSummary[] {
    const positions = this.#options.queued();
    // One of the command line may have been killed.
    this.#options.journal.markInterrupted();
    return this.#options.journal.list(page).map((entry) => this.#summaryOf(entry, positions));
  }

  /** @throws AppError RUN_NOT_FOUND */
  detail(run: string): RunDetail {
    const entry = this.entry(run);
    const { document, detail } = readDocuments(this.#options.journal, run);
    const live = this.#options.live(run);
    const nodes = live?.nodes ?? detail.nodes;
    return {
      summary: this.#summaryOf(entry),
      parameters: document?.parameters ?? [],
      workflow: document?.workflow ?? null,
      prompt: document?.api ?? null,
      nodes: this.#isOwn(entry) ? nodes : nodes.map((node) => savedIn(node, this.#refOf(entry))),
      warnings: document?.warnings ?? [],
      trainings: Object.keys(live?.trainings ?? detail.trainings),
    };
  }

  /** Run directories of a run's trainings, by node: below `output`. @throws AppError RUN_NOT_FOUND */
  trainings(run: string): { readonly output: string; readonly directories: Readonly<Record<string, string>> } {
    const { output } = this.entry(run);
    const directories = this.#options.live(run)?.trainings ?? readDocuments(this.#options.journal, run).detail.trainings;
    return { output, directories };
  }

  /** A run's output folder, the files that it saved there, and the folders of its trainings' samples. @throws AppError RUN_NOT_FOUND */
  files(run: string): { readonly output: string; readonly names: ReadonlySet<string>; readonly folders: readonly string[] } {
    const { output } = this.entry(run);
    const { nodes, trainings } = readDocuments(this.#options.journal, run).detail;
    return { output, names: savedBy(nodes), folders: Object.values(trainings).map((directory) => `${directory}/${SAMPLES}`) };
  }

  /** How a file in the run's folder is named by clients. @throws AppError RUN_NOT_FOUND */
  refOf(run: string): (ref: FileRef) => FileRef {
    return this.#refOf(this.entry(run));
  }

  /** Keys of results that are to stand, by node. @throws AppError PIN_LOST */
  pinned(pinned: WorkflowInput["pinned"]): ReadonlyMap<string, string> {
    const { journal } = this.#options;
    return new Map(
      (pinned ?? []).map(({ node, run }) => {
        const key = journal.get(run) ? readDocuments(journal, run).detail.keys[node] : undefined;
        if (key !== undefined) return [node, key];
        throw new AppError("PIN_LOST", `no result of node ${node} is kept from run ${run}`, {
          hint: "unpin the node, or run it once more",
        });
      }),
    );
  }

  /** @throws AppError RUN_NOT_FOUND, RUN_ACTIVE */
  remove(run: string): void {
    const { state } = this.entry(run);
    if (state === "queued" || state === "running") throw new AppError("RUN_ACTIVE", `the run is ${state}`, { hint: "cancel it first" });
    this.#options.journal.remove(run);
  }

  #isOwn({ output }: JournalEntry): boolean {
    return output === this.#options.output;
  }

  /** How a file that a run saved is named here. */
  #refOf(entry: JournalEntry): (ref: FileRef) => FileRef {
    if (this.#isOwn(entry)) return (ref) => ref;
    return ({ filename, subfolder, type }) => ({
      filename,
      subfolder: [entry.run, ...(type === "temp" ? ["temp"] : []), ...(subfolder === "" ? [] : [subfolder])].join("/"),
      type: "run",
    });
  }

  #summaryOf(entry: JournalEntry, positions = entry.state === "queued" ? this.#options.queued() : []): RunSummary {
    const request = readRequest(entry);
    const live = this.#options.live(entry.run);
    const ended = readResult(entry);
    const position = entry.state === "queued" ? positions.indexOf(entry.run) : -1;
    return {
      id: entry.run,
      state: entry.state,
      name: request?.name ?? (entry.output.split(/[\\/]/).at(-1) || "command line"),
      kind: request?.kind ?? "run",
      client: entry.client,
      graph: entry.graph,
      created: entry.created,
      started: entry.started,
      ended: entry.ended,
      position: position < 0 ? null : position,
      progress:
        live?.progress ??
        (ended === NO_RESULT
          ? { done: 0, total: request?.steps ?? 0, node: null }
          : { ...ended.progress, node: entry.state === "running" ? ended.progress.node : null }),
      // It would continue in another folder, where there is nothing to continue from.
      canResume: ended.canResume && this.#isOwn(entry),
      parent: request?.parent ?? null,
      device: request?.device ?? "",
      ms: ended.ms,
      peakMemoryBytes: ended.peakMemoryBytes,
      scores: live?.scores ?? ended.scores,
      pictures: (live?.pictures ?? ended.pictures).map(this.#refOf(entry)),
      error: entry.error,
    };
  }
}
