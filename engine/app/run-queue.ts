// The server's queue: what waits, and what runs now. Runs go one at a time, and each is in the journal before anyone is told about it.
import type { QueueState, RunSummary } from "../api/runs.ts";
import { AppError, toAppError } from "../base/errors.ts";
import type { ComputeHost, RunHandle } from "../host/compute-host.ts";
import type { Journal, JournalEntry } from "../store/journal.ts";
import type { OutputDirectory } from "../store/output-directory.ts";
import { type RunDocument, readRequest } from "./journalled-run.ts";
import { invalidWorkflow, type Plannable, type PlannedSubmission, type PlanPlaces, planSubmission } from "./plan-submission.ts";
import { recordRun } from "./record-run.ts";
import type { RunFeed } from "./run-feed.ts";
import { RunHistory } from "./run-history.ts";
import { RunView } from "./run-view.ts";
import { enqueueRun, type Submission, submissionAgain } from "./submission.ts";
import type { Versions } from "./versions.ts";

/** Queued runs at most: nobody waits for more than this. */
const MAX_QUEUED = 1000;

export interface RunQueueOptions extends Omit<PlanPlaces, "output" | "pinned"> {
  readonly journal: Journal;
  readonly feed: RunFeed;
  readonly host: ComputeHost;
  readonly output: OutputDirectory;
  readonly device: string;
  readonly threads: number;
  readonly versions: Versions;
  readonly isPaused?: boolean;
  /** Keeps the pause for the next start. */
  readonly savePaused?: (isPaused: boolean) => Promise<void>;
}

interface Active {
  readonly run: string;
  readonly view: RunView;
  readonly ended: Promise<void>;
  handle?: RunHandle;
  isCancelled: boolean;
  wantsPause: boolean;
}

export class RunQueue {
  readonly history: RunHistory;
  readonly #options: RunQueueOptions;
  #active: Active | undefined;
  #isPaused: boolean;
  #savingPaused: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: RunQueueOptions) {
    this.#options = options;
    this.#isPaused = options.isPaused ?? false;
    this.history = new RunHistory({
      journal: options.journal,
      output: options.output.root,
      live: (run) => this.#activeOf(run)?.view,
      queued: () => this.state().queued,
    });
  }

  /** Starts the queued runs. */
  start(): void {
    this.#pump();
  }

  state(): QueueState {
    const queued = this.#options.journal.queued().map((e) => e.run);
    return { isPaused: this.#isPaused, running: this.#active?.run ?? null, queued: queued.filter((run) => run !== this.#active?.run) };
  }

  /** Workflow to plan, with everything that is wrong with it. @throws AppError PIN_LOST, PIN_UNKNOWN */
  plan(given: Plannable): Promise<PlannedSubmission> {
    const { output, ...places } = this.#options;
    return planSubmission(given, { ...places, output: output.root, pinned: (pinned) => this.history.pinned(pinned) });
  }

  /**
   * The run is on disk when this answers. The same client and key again: the same run.
   * @throws AppError WORKFLOW_INVALID (details.issues) when nothing of it can run, PIN_LOST, QUEUE_FULL
   */
  async submit(given: Submission): Promise<RunSummary> {
    const { journal } = this.#options;
    const before = journal.find(given.client, given.key);
    if (before) return this.history.summary(before.run);
    if (journal.queued().length >= MAX_QUEUED)
      throw new AppError("QUEUE_FULL", `${MAX_QUEUED} runs wait already`, { hint: "cancel some of them, or wait" });
    const planned = await this.plan(given);
    if (planned.plan.steps.length === 0) throw invalidWorkflow(planned);
    // While it was planned, the same request may have come again.
    const twin = journal.find(given.client, given.key);
    if (twin) return this.history.summary(twin.run);
    const run = enqueueRun(given, planned, this.#options);
    this.#tell(run);
    this.#tellQueue();
    this.#pump();
    return this.history.summary(run);
  }

  /** A new run of the same workflow. @throws AppError RUN_NOT_FOUND, RUN_NO_WORKFLOW, RUN_CANNOT_RESUME */
  async again(run: string, resume: boolean): Promise<RunSummary> {
    return this.submit(submissionAgain(this.history, run, resume));
  }

  /** A queued run is removed. A running one is asked to end, and killed when it doesn't. One that has ended stays. @throws AppError RUN_NOT_FOUND, RUN_ELSEWHERE */
  cancel(run: string): RunSummary {
    const { state } = this.history.entry(run);
    const active = this.#activeOf(run);
    if (active) {
      active.isCancelled = true;
      active.wantsPause = false;
      active.handle?.cancel();
    } else if (state === "queued") {
      this.#options.journal.end(run, "cancelled", Date.now());
      this.#tell(run);
      this.#tellQueue();
    } else if (state === "running")
      throw new AppError("RUN_ELSEWHERE", "this run was begun on the command line", { hint: "press Ctrl-C where it was begun" });
    return this.history.summary(run);
  }

  /** A training ends its step, saves, and is paused. @throws AppError RUN_NOT_FOUND, RUN_CANNOT_PAUSE */
  pause(run: string): RunSummary {
    this.history.entry(run);
    const active = this.#activeOf(run);
    if (!active?.view.canPause || active.isCancelled)
      throw new AppError("RUN_CANNOT_PAUSE", "only a training that is running can be paused", {
        hint: "pause the queue instead: the current run continues, and no new one starts",
      });
    active.wantsPause = true;
    active.isCancelled = true;
    active.handle?.cancel();
    return this.history.summary(run);
  }

  /** @param before the queued run it goes before; null = to the end @throws AppError RUN_NOT_QUEUED */
  move(run: string, before: string | null): QueueState {
    const { journal } = this.#options;
    const queue = journal.queued();
    const moved = queue.find((e) => e.run === run);
    const rest = queue.filter((e) => e.run !== run);
    const at = before === null ? rest.length : rest.findIndex((e) => e.run === before);
    if (!moved || at < 0) {
      const wrong = moved ? before : run;
      throw new AppError("RUN_NOT_QUEUED", `run ${wrong} does not wait in the queue`, { hint: "it may have begun: load the queue again" });
    }
    const order = [...rest.slice(0, at), moved, ...rest.slice(at)];
    // Priorities are renumbered as whole numbers: halving a gap again and again would run out of precision.
    order.forEach((e, i) => {
      if (e.priority !== i - order.length) journal.move(e.run, i - order.length);
    });
    return this.#tellQueue();
  }

  /** A pause holds at once. What waits starts only when the end of the pause is on disk: a server killed in between would hold it back for good. */
  async setPaused(isPaused: boolean): Promise<QueueState> {
    if (isPaused) this.#isPaused = true;
    this.#savingPaused = this.#savingPaused.then(() => this.#options.savePaused?.(isPaused));
    const saved = this.#savingPaused;
    this.#savingPaused = saved.catch(() => undefined);
    await saved;
    this.#isPaused = isPaused;
    const state = this.#tellQueue();
    this.#pump();
    return state;
  }

  /** Cancels everything that waits. */
  clear(): QueueState {
    for (const run of this.state().queued) {
      this.#options.journal.end(run, "cancelled", Date.now());
      this.#tell(run);
    }
    return this.#tellQueue();
  }

  /** Ends the current run as a cancel does, and starts no other. Queued runs stay queued. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const active = this.#active;
    if (!active) return;
    active.isCancelled = true;
    active.wantsPause ||= active.view.canPause;
    active.handle?.cancel();
    await active.ended;
  }

  #pump(): void {
    if (this.#active || this.#isPaused || this.#isClosed) return;
    const next = this.#options.journal.queued()[0];
    if (!next) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const made = this.history.document(next.run);
    const active: Active = { run: next.run, view: new RunView(made?.steps ?? []), ended: promise, isCancelled: false, wantsPause: false };
    this.#active = active;
    this.#tellQueue();
    void this.#perform(active, next, made)
      .catch((error: unknown) => {
        const { code, message, hint } = toAppError(error);
        this.#options.journal.end(active.run, "failed", Date.now(), { code, message, ...(hint !== undefined && { hint }) });
      })
      .finally(() => {
        this.#active = undefined;
        resolve();
        this.#tell(active.run);
        this.#tellQueue();
        this.#pump();
      });
  }

  async #perform(active: Active, entry: JournalEntry, made: RunDocument | undefined): Promise<void> {
    const { journal, output, host, device, threads, versions, feed } = this.#options;
    const { run, view } = active;
    const request = readRequest(entry);
    if (!made || !request) throw new AppError("STORE_JOURNAL", "the journal has lost what was to run", { hint: "submit it again" });
    // Files may have changed while it waited.
    const planned = await this.plan(made);
    const { plan, api, document, issues, warnings, places } = planned;
    if (plan.steps.length === 0) throw invalidWorkflow(planned);
    if (active.isCancelled) {
      journal.end(run, "cancelled", Date.now());
      return;
    }
    const workflow = { prompt: api, ...(document !== undefined && { workflow: document }) };
    const { handle, done } = await recordRun({
      journal,
      directory: output,
      file: `runs/${run}.json`,
      run,
      started: Date.now(),
      workflow: { file: request.name, name: request.name, sha256: entry.graph },
      plan,
      issues,
      warnings,
      versions,
      device,
      threads,
      view,
      begin: (onEvent) => host.run({ run, mode: "run", plan, workflow, output: output.root, resume: request.resume, ...places }, onEvent),
      onEvent: (event) => feed.event(run, event),
      isPausing: () => active.wantsPause,
    });
    active.handle = handle;
    this.#tell(run);
    if (active.isCancelled) handle.cancel();
    await done;
  }

  #activeOf(run: string): Active | undefined {
    return this.#active?.run === run ? this.#active : undefined;
  }

  #tell(run: string): void {
    if (this.#options.journal.get(run)) this.#options.feed.summary(this.history.summary(run));
  }

  #tellQueue(): QueueState {
    const queue = this.state();
    this.#options.feed.queue(queue);
    return queue;
  }
}
