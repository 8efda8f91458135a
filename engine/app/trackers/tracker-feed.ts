// Sends trainings to the trackers that the settings name, as they go. What a tracker does or refuses never touches the run.

import { shown } from "../../api/shown.ts";
import type { Settings } from "../../api/system.ts";
import type { RunEvent } from "../../graph/events.ts";
import type { TrainingLog } from "../training/training-log.ts";
import { mlflow } from "./mlflow.ts";
import type { Point, TrackedRun, Tracker } from "./tracker.ts";
import { trackio } from "./trackio.ts";

export interface TrackerFeedOptions {
  /** Read when a training begins: none = nothing is sent. */
  readonly trackers: () => Promise<Settings["trackers"]>;
  /** @param directory of a training, below the output folder */
  readonly log: (directory: string) => TrainingLog;
  /** Name and settings of a training's run. */
  readonly describe: (run: string, node: string) => Omit<TrackedRun, "id">;
  /** What a person should know: said once for each tracker of a training. */
  readonly warn: (message: string) => void;
}

interface Training {
  readonly run: string;
  readonly node: string;
  readonly log: TrainingLog;
  trackers: Tracker[];
  /** Everything that is sent waits for what was sent before. */
  last: Promise<void>;
  sent: number;
  isWaiting: boolean;
}

/** Updates are sent together, at most so often. */
const PAUSE_MS = 2000;

export class TrackerFeed {
  readonly #options: TrackerFeedOptions;
  readonly #pauseMs: number;
  readonly #trainings = new Map<string, Training>();

  constructor(options: TrackerFeedOptions, pauseMs = PAUSE_MS) {
    this.#options = options;
    this.#pauseMs = pauseMs;
  }

  /** Every event of every run. Returns at once. */
  event(event: RunEvent): void {
    if (event.kind === "node.shown") {
      const [training] = shown.safeParse(event.ui).data?.training ?? [];
      if (training) this.#begin(event.run, event.node, training.directory);
    } else if (event.kind === "node.progress") {
      const training = this.#trainings.get(`${event.run} ${event.node}`);
      if (training) this.#soon(training);
    } else if (event.kind === "run.finished" || event.kind === "run.failed" || event.kind === "run.cancelled") {
      const state = event.kind.slice("run.".length) as "finished" | "failed" | "cancelled";
      for (const [key, training] of this.#trainings)
        if (training.run === event.run) {
          this.#trainings.delete(key);
          this.#queue(training, () => this.#send(training));
          this.#queue(training, () => this.#each(training, (t) => t.end(state)));
        }
    }
  }

  /** Resolves when everything so far is sent or refused. */
  async idle(): Promise<void> {
    await Promise.all([...this.#ended, ...[...this.#trainings.values()].map((t) => t.last)]);
  }
  readonly #ended = new Set<Promise<void>>();

  #begin(run: string, node: string, directory: string): void {
    // A result from the cache shows its training again: nothing is trained then, and nothing sent.
    const key = `${run} ${node}`;
    if (this.#trainings.has(key)) return;
    const training: Training = {
      run,
      node,
      log: this.#options.log(directory),
      trackers: [],
      last: Promise.resolve(),
      sent: 0,
      isWaiting: false,
    };
    this.#trainings.set(key, training);
    this.#queue(training, async () => {
      const { trackio: first, mlflow: second } = (await this.#options.trackers()) ?? {};
      training.trackers = [...(first ? [trackio(first)] : []), ...(second ? [mlflow(second)] : [])];
      if (training.trackers.length === 0) {
        this.#trainings.delete(key);
        return;
      }
      // A resumed training has already reported its earlier updates under another run.
      await training.log.refresh();
      training.sent = training.log.done;
      const of = { id: run, ...this.#options.describe(run, node) };
      await this.#each(training, (t) => t.begin(of));
    });
  }

  #soon(training: Training): void {
    if (training.isWaiting) return;
    training.isWaiting = true;
    setTimeout(() => {
      training.isWaiting = false;
      if (this.#trainings.get(`${training.run} ${training.node}`) === training) this.#queue(training, () => this.#send(training));
    }, this.#pauseMs).unref();
  }

  async #send(training: Training): Promise<void> {
    if (training.trackers.length === 0) return;
    await training.log.refresh();
    const points = pointsOf(training.log, training.sent);
    training.sent = Math.max(training.sent, ...points.map((p) => p.step));
    if (points.length > 0) await this.#each(training, (t) => t.log(points));
  }

  /** One that fails is not used again for this training, and a warning says so. */
  async #each(training: Training, act: (tracker: Tracker) => Promise<void>): Promise<void> {
    const kept = await Promise.all(
      training.trackers.map(async (tracker) => {
        try {
          await act(tracker);
          return [tracker];
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error);
          this.#options.warn(`${tracker.name} gets nothing more of this training: ${why}`);
          return [];
        }
      }),
    );
    training.trackers = kept.flat();
  }

  #queue(training: Training, work: () => Promise<void>): void {
    training.last = training.last.then(work).catch((error: unknown) => this.#options.warn(`The trackers were not told: ${String(error)}`));
    const { last } = training;
    this.#ended.add(last);
    void last.finally(() => this.#ended.delete(last));
  }
}

/** Finite numbers of each update after `after`. */
function pointsOf(log: TrainingLog, after: number): Point[] {
  const points = new Map<number, Record<string, number>>();
  for (const { name, x, y } of log.curves(after))
    x.forEach((step, i) => {
      const value = y[i];
      if (value === null || value === undefined) return;
      const values = points.get(step) ?? {};
      values[name] = value;
      points.set(step, values);
    });
  return [...points].sort(([a], [b]) => a - b).map(([step, values]) => ({ step, values }));
}
