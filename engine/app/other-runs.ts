// Runs that the command line begins and ends beside the server: pages are told of them too.
import { stringifyJson } from "../base/json.ts";
import type { Journal } from "../store/journal.ts";
import type { RunFeed } from "./run-feed.ts";
import type { RunHistory } from "./run-history.ts";

/** The newest ones: older ones do not change any more. */
const LOOKED_AT = 50;

export class OtherRuns {
  readonly #journal: Journal;
  readonly #history: RunHistory;
  readonly #feed: RunFeed;
  /** Each as it was last told. */
  readonly #told: Map<string, { readonly state: string; readonly text: string }>;

  constructor(journal: Journal, history: RunHistory, feed: RunFeed) {
    this.#journal = journal;
    this.#history = history;
    this.#feed = feed;
    this.#told = new Map(history.list({ limit: LOOKED_AT }).map((run) => [run.id, { state: run.state, text: stringifyJson(run) }]));
  }

  /** Tells what has changed since the last look. Costs one small query when nothing has. */
  look(): void {
    const mayHaveDied = [...this.#told.values()].some(({ state }) => state === "running");
    if (!this.#journal.hasChanged() && !mayHaveDied) return;
    const runs = this.#history.list({ limit: LOOKED_AT }).filter((run) => run.client === "");
    const seen = runs.map((run) => [run.id, { state: run.state, text: stringifyJson(run) }] as const);
    for (const [i, [id, { text }]] of seen.entries()) {
      const run = runs[i];
      if (run && this.#told.get(id)?.text !== text) this.#feed.summary(run);
    }
    this.#told.clear();
    for (const [id, told] of seen) this.#told.set(id, told);
  }
}
