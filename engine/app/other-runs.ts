// Runs that the command line begins and ends beside the server: pages are told of them too.
import type { Journal } from "../store/journal.ts";
import type { RunFeed } from "./run-feed.ts";
import type { RunHistory } from "./run-history.ts";

/** The newest ones: older ones do not change any more. */
const LOOKED_AT = 50;

export class OtherRuns {
  readonly #journal: Journal;
  readonly #history: RunHistory;
  readonly #feed: RunFeed;
  /** State of each when it was last told. */
  readonly #told: Map<string, string>;

  constructor(journal: Journal, history: RunHistory, feed: RunFeed) {
    this.#journal = journal;
    this.#history = history;
    this.#feed = feed;
    this.#told = new Map(history.list({ limit: LOOKED_AT }).map((run) => [run.id, run.state]));
  }

  /** Tells what has changed since the last look. Costs one small query when nothing has. */
  look(): void {
    const mayHaveDied = [...this.#told.values()].includes("running");
    if (!this.#journal.hasChanged() && !mayHaveDied) return;
    const runs = this.#history.list({ limit: LOOKED_AT }).filter((run) => run.client === "");
    for (const run of runs) if (this.#told.get(run.id) !== run.state) this.#feed.summary(run);
    this.#told.clear();
    for (const run of runs) this.#told.set(run.id, run.state);
  }
}
