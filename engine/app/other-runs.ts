// Runs that the command line begins and ends beside the server: pages are told of them too.
import type { RunSummary } from "../api/runs.ts";
import { stringifyJson } from "../base/json.ts";
import type { Journal } from "../store/journal.ts";
import type { RunFeed } from "./run-feed.ts";
import type { RunHistory } from "./run-history.ts";

/** The newest ones: older ones do not change any more. */
const LOOKED_AT = 50;

interface Told {
  readonly run: RunSummary;
  /** All that pages can know of it. */
  readonly text: string;
}

export class OtherRuns {
  readonly #journal: Journal;
  readonly #history: RunHistory;
  readonly #feed: RunFeed;
  /** Each as it was last told. */
  #told: ReadonlyMap<string, Told>;

  constructor(journal: Journal, history: RunHistory, feed: RunFeed) {
    this.#journal = journal;
    this.#history = history;
    this.#feed = feed;
    this.#told = this.#now();
  }

  /** Tells what has changed since the last look. Costs one small query when nothing has. */
  look(): void {
    const mayHaveDied = [...this.#told.values()].some(({ run }) => run.state === "running");
    if (!this.#journal.hasChanged() && !mayHaveDied) return;
    const before = this.#told;
    this.#told = this.#now();
    for (const [id, { run, text }] of this.#told) if (before.get(id)?.text !== text) this.#feed.summary(run);
  }

  #now(): ReadonlyMap<string, Told> {
    const runs = this.#history.list({ limit: LOOKED_AT }).filter((run) => run.client === "");
    // What a node of a running one shows is no part of its summary; pages ask for it when they hear of the run.
    const nodesOf = (run: RunSummary) => (run.state === "running" ? this.#history.detail(run.id).nodes : null);
    return new Map(runs.map((run) => [run.id, { run, text: stringifyJson([run, nodesOf(run)]) }]));
  }
}
