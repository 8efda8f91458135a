// Runs as the server reports them: the queue, the history, and what became of each node of each open tab.
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import type { EventMessage } from "../../engine/api/event-message.ts";
import type { QueueState, RunDetail, RunSummary } from "../../engine/api/runs.ts";
import type { RunEvent } from "../../engine/graph/events.ts";
import { call } from "../net/client.ts";
import { EventStream } from "../net/events.ts";
import { isOlder, newerSummary } from "./newer-summary.ts";
import { beginRun, foldEvent, fromDetail, type NodeRuns } from "./node-runs.ts";

export interface TabRun {
  readonly run: string | undefined;
  readonly nodes: NodeRuns;
}
const NO_RUN: TabRun = { run: undefined, nodes: new Map() };

const ACTIVE = new Set(["queued", "running"]);
const isActive = (s: RunSummary): boolean => ACTIVE.has(s.state);

export class Runs {
  /** undefined until the first try has ended. */
  readonly isConnected = signal<boolean | undefined>(undefined);
  readonly queue = signal<QueueState>({ isPaused: false, running: null, queued: [] });
  readonly summaries = signal<ReadonlyMap<string, RunSummary>>(new Map());
  readonly hasMore = signal<string | null>(null);
  readonly load = signal<{ readonly computeBytes: number | null; readonly freeBytes: number } | undefined>(undefined);
  readonly byTab = signal<ReadonlyMap<string, TabRun>>(new Map());
  readonly log = signal<readonly { readonly at: number; readonly level: "info" | "warn" | "error"; readonly message: string }[]>([]);
  /** Newest first; what waits before what ran. */
  readonly history: ReadonlySignal<readonly RunSummary[]> = computed(() =>
    [...this.summaries.value.values()].sort((a, b) => b.created - a.created),
  );
  readonly running: ReadonlySignal<RunSummary | undefined> = computed(() => this.summaries.value.get(this.queue.value.running ?? ""));

  readonly #session: string;
  readonly #owners = new Map<string, string>();
  readonly #stream: EventStream;
  readonly #changed: (what: string, name: string | undefined) => void;
  #waiting: EventMessage[] = [];
  #isScheduled = false;
  #boot: string | undefined;

  /** @param changed something was saved or removed, by another tab or by a run */
  constructor(session: string, changed: (what: string, name: string | undefined) => void) {
    this.#session = session;
    this.#changed = changed;
    this.#stream = new EventStream({
      message: (message) => this.#receive(message),
      state: (isOpen) => {
        this.isConnected.value = isOpen;
      },
    });
  }

  start(): void {
    this.#stream.start();
    addEventListener("online", () => this.#stream.retry());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#stream.retry());
  }
  retry(): void {
    this.#stream.retry();
  }

  /** The name under which a tab of this window asks. */
  client(tab: string): string {
    return `${this.#session}:${tab}`;
  }
  tabRun(tab: string): TabRun {
    return this.byTab.value.get(tab) ?? NO_RUN;
  }
  summaryOf(tab: string): RunSummary | undefined {
    return this.summaries.value.get(this.tabRun(tab).run ?? "");
  }
  isActive(tab: string): boolean {
    const summary = this.summaryOf(tab);
    return summary !== undefined && isActive(summary);
  }

  /** A run of this tab begins: its nodes wait. */
  begin(tab: string, summary: RunSummary, ids: readonly string[]): void {
    batch(() => {
      this.#adopt(summary);
      // Its first events may have come before the answer.
      if (this.tabRun(tab).run === summary.id) return;
      this.#owners.set(summary.id, tab);
      this.#setTab(tab, { run: summary.id, nodes: beginRun(this.tabRun(tab).nodes, ids) });
    });
  }

  /** Shows an earlier run on a tab. What was asked for before the run went on is not shown. */
  showDetail(tab: string, detail: RunDetail): void {
    if (isOlder(detail.summary, this.summaries.value.get(detail.summary.id)) && this.tabRun(tab).run === detail.summary.id) return;
    this.#owners.set(detail.summary.id, tab);
    batch(() => {
      this.#adopt(detail.summary);
      this.#setTab(tab, { run: detail.summary.id, nodes: fromDetail(detail) });
    });
  }

  forget(id: string): void {
    const next = new Map(this.summaries.value);
    next.delete(id);
    this.summaries.value = next;
  }

  /** The first page of the history, and the last run of each open tab. */
  async reload(tabs: readonly string[]): Promise<void> {
    const page = await call("runs", { query: { limit: 100 } });
    const queue = await call("queue", {});
    batch(() => {
      this.summaries.value = new Map(page.runs.map((r) => [r.id, newerSummary(r, this.summaries.value.get(r.id))]));
      this.hasMore.value = page.next;
      this.queue.value = queue;
    });
    for (const run of page.runs) this.#follow(run);
    for (const tab of tabs) {
      const last = page.runs.find((r) => r.client === this.client(tab) && r.kind === "run");
      if (last && (this.tabRun(tab).run !== last.id || isActive(last)))
        this.showDetail(tab, await call("run", { params: { id: last.id } }));
    }
  }

  async loadMore(): Promise<void> {
    const before = this.hasMore.value;
    if (before === null) return;
    const page = await call("runs", { query: { before, limit: 100 } });
    this.summaries.value = new Map([
      ...this.summaries.value,
      ...page.runs.map((r): [string, RunSummary] => [r.id, newerSummary(r, this.summaries.value.get(r.id))]),
    ]);
    this.hasMore.value = page.next;
  }

  /** Runs of the command line send no events: what is known of their nodes is asked for as they go on. */
  #follow({ id, client }: RunSummary): void {
    if (client !== "") return;
    for (const [tab, { run }] of this.byTab.value)
      if (run === id)
        void call("run", { params: { id } }).then(
          (detail) => this.tabRun(tab).run === id && this.showDetail(tab, detail),
          // The next summary asks again, or else what is read when the server is back.
          () => undefined,
        );
  }

  #adopt(summary: RunSummary): void {
    this.summaries.value = new Map(this.summaries.value).set(summary.id, newerSummary(summary, this.summaries.value.get(summary.id)));
    const [session, tab] = summary.client.split(":");
    if (session === this.#session && tab !== undefined && summary.kind === "run") this.#owners.set(summary.id, tab);
  }

  #setTab(tab: string, run: TabRun): void {
    this.byTab.value = new Map(this.byTab.value).set(tab, run);
  }

  /** Messages are folded once per frame: a hundred of them cost one drawing. */
  #receive(message: EventMessage): void {
    this.#waiting.push(message);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    if (document.visibilityState === "hidden") setTimeout(() => this.#flush(), 50);
    else requestAnimationFrame(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    const messages = this.#waiting;
    this.#waiting = [];
    batch(() => {
      for (const message of messages) this.#fold(message);
    });
  }

  #fold(message: EventMessage): void {
    switch (message.kind) {
      case "hello": {
        this.queue.value = message.queue;
        // A new server, or one that has forgotten: what this page knows may be old.
        if (message.isReset || this.#boot !== message.boot) this.#changed("reset", undefined);
        this.#boot = message.boot;
        break;
      }
      case "run":
        this.#event(message.event);
        break;
      case "summary":
        this.#adopt(message.summary);
        this.#follow(message.summary);
        break;
      case "queue":
        this.queue.value = message.queue;
        break;
      case "changed":
        this.#changed(message.what, message.name);
        break;
      case "log":
        this.log.value = [...this.log.value.slice(-499), { at: Date.now(), level: message.level, message: message.message }];
        break;
      case "load":
        this.load.value = { computeBytes: message.computeBytes, freeBytes: message.freeBytes };
    }
  }

  /** A summary comes when a run's state changes; in between its progress is what its events say. */
  #progress(event: RunEvent): void {
    const summary = this.summaries.value.get(event.run);
    if (summary?.state !== "running" || !("node" in event)) return;
    const { progress } = summary;
    const next =
      event.kind === "node.started"
        ? { ...progress, node: event.node }
        : event.kind === "node.finished" || event.kind === "node.cached"
          ? { ...progress, done: Math.min(progress.total, progress.done + 1) }
          : progress;
    if (next !== progress) this.summaries.value = new Map(this.summaries.value).set(summary.id, { ...summary, progress: next });
  }

  #event(event: RunEvent): void {
    this.#progress(event);
    const tab = this.#owners.get(event.run);
    if (event.kind === "node.logged")
      this.log.value = [
        ...this.log.value.slice(-499),
        { at: event.at, level: event.level, message: `${event.type} ${event.node}: ${event.message}` },
      ];
    if (tab === undefined) return;
    const current = this.tabRun(tab);
    // A later run of the tab that begins takes its place; events of one that waits behind it are not there yet.
    if (current.run !== event.run && event.kind !== "run.started") return;
    const nodes = current.run === event.run ? current.nodes : beginRun(current.nodes, [...current.nodes.keys()]);
    this.#setTab(tab, { run: event.run, nodes: foldEvent(nodes, event) });
  }
}
