// Running the graph in view: queueing, stopping, what it would cost, results that are pinned.
import { effect, signal } from "@preact/signals";
import type { DryRunReport, QueueState } from "../../engine/api/runs.ts";
import type { Command } from "../doc/commands.ts";
import type { Doc } from "../doc/document.ts";
import { saveDocument, type Tab } from "../doc/tabs.ts";
import { widgetsOf } from "../doc/widgets.ts";
import { ApiFailure, call } from "../net/client.ts";
import { attempt } from "./attempt.ts";
import { checkDocument, problem } from "./checks.ts";
import type { Page } from "./page.ts";
import { prefs } from "./prefs.ts";
import type { Problems } from "./problems.ts";
import { say } from "./toasts.ts";

export class Runner {
  readonly #page: Page;
  readonly #problems: Problems;
  readonly cost = signal<{ readonly doc: Doc; readonly report: DryRunReport } | undefined>(undefined);
  readonly isCosting = signal(false);
  /** Prompt id → run whose result stands. By tab. */
  readonly pins = signal<ReadonlyMap<string, ReadonlyMap<string, string>>>(new Map());
  readonly batchCount = signal(1);

  /** Tabs whose graph has changed since their run began, to be run again. */
  readonly #changedInRun = new Set<string>();
  /** By tab: the graph that last ran, was left so by its seeds, or needed no run. Looking at it again is no change. */
  readonly #seen = new Map<string, Doc>();

  constructor(page: Page, problems: Problems) {
    this.#page = page;
    this.#problems = problems;
    effect(() => {
      const tab = page.editor.tabId.value;
      if (page.runs.isActive(tab) || !this.#changedInRun.delete(tab)) return;
      const state = page.runs.summaryOf(tab)?.state;
      // Who stops or pauses a run does not want the next one.
      if (state !== "cancelled" && state !== "paused") queueMicrotask(() => void this.afterChange());
    });
  }

  /** Queues the graph in view. `targets`: prompt ids of output nodes, when not all are wanted. */
  async run(options: { readonly front?: boolean; readonly targets?: readonly string[] } = {}): Promise<void> {
    for (let i = 0; i < this.batchCount.value; i++) if (!(await this.#submit(options))) return;
  }

  async #submit({ front = false, targets }: { readonly front?: boolean; readonly targets?: readonly string[] }): Promise<boolean> {
    const tab = this.#page.editor.tab.value;
    const check = checkDocument(tab.history.doc, this.#page.registry);
    this.#problems.check.value = check;
    if (tab.history.doc.nodes.length === 0) {
      say("The canvas is empty: open a starting point, or double click to add a node.");
      return false;
    }
    const pins = this.pins.value.get(tab.id) ?? new Map<string, string>();
    const key = crypto.randomUUID();
    try {
      const summary = await call("submit", {
        body: {
          workflow: saveDocument(tab),
          name: tab.name,
          client: this.#page.runs.client(tab.id),
          key,
          front,
          ...(targets && { targets: [...targets] }),
          ...(pins.size > 0 && { pinned: [...pins].map(([node, run]) => ({ node, run })) }),
        },
      });
      this.#problems.ofRefusedRun.value = undefined;
      if (!this.#page.runs.isActive(tab.id)) this.#page.runs.begin(tab.id, summary, Object.keys(check.prompt ?? {}));
      this.#seen.set(tab.id, tab.history.doc);
      this.#afterQueueing(tab);
      return true;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      const problems = error.issues.map((i) => problem(i, "error", "server"));
      this.#problems.ofRefusedRun.value = {
        tab: tab.id,
        problems:
          problems.length > 0
            ? problems
            : [
                {
                  level: "error",
                  code: error.code,
                  node: undefined,
                  input: undefined,
                  message: `The run was not started: ${error.message}`,
                  hint: error.hint,
                  source: "server",
                },
              ],
      };
      this.#page.drawer.value = "problems";
      return false;
    }
  }

  /** ComfyUI's control after generate: seeds that change with each run. */
  #afterQueueing(tab: Tab): void {
    const { doc } = tab.history;
    const places = [null, ...doc.subgraphs.map((s) => s.id)];
    const commands = places.flatMap((place): Command[] => {
      const graph = place === null ? doc : doc.subgraphs.find((s) => s.id === place);
      const values = (graph?.nodes ?? []).flatMap((node) =>
        widgetsOf(doc, node, this.#page.editor.faces).flatMap((w) => {
          if (w.linked || w.control === undefined || w.control === "fixed" || node.mode !== 0) return [];
          return [{ id: node.id, name: w.face.name, value: nextValue(w.value, w.control, w.face.min, w.face.max) }];
        }),
      );
      return values.length > 0 ? [{ name: "widgets.set", args: { place, values } }] : [];
    });
    if (commands.length === 0 || this.#page.editor.tabId.value !== tab.id) return;
    const isAsQueued = this.#page.editor.doc.value === doc;
    this.#page.editor.perform(commands, "Next seed");
    // Otherwise a person has changed it while it was being queued.
    if (isAsQueued) this.#seen.set(tab.id, this.#page.editor.doc.value);
  }

  /** Stops what this tab runs, or else what runs. */
  async stop(): Promise<void> {
    const own = this.#page.runs.summaryOf(this.#page.editor.tabId.value);
    const id = own && (own.state === "running" || own.state === "queued") ? own.id : this.#page.runs.queue.value.running;
    if (!id) {
      say("Nothing is running.");
      return;
    }
    await attempt(async () => {
      await call("cancel", { params: { id } });
      say("Stopping.");
    });
  }

  async pause(): Promise<void> {
    const running = this.#page.runs.queue.value.running;
    await attempt(async () => {
      if (running) {
        try {
          await call("pause", { params: { id: running } });
          say("The training ends its step, saves, and pauses.");
          return;
        } catch (error) {
          if (!(error instanceof ApiFailure) || error.code !== "RUN_CANNOT_PAUSE") throw error;
        }
      }
      const isPaused = this.#page.runs.queue.value.isPaused;
      this.#page.runs.queue.value = await call(isPaused ? "resumeQueue" : "pauseQueue", {});
      say(isPaused ? "The queue continues." : "The queue is paused: the current run continues, and no new one starts.");
    });
  }

  /** A change to the queue, and how it is then. */
  async setQueue(change: () => Promise<QueueState>): Promise<void> {
    await attempt(async () => {
      this.#page.runs.queue.value = await change();
    });
  }

  async estimate(): Promise<void> {
    const tab = this.#page.editor.tab.value;
    const { doc } = tab.history;
    if (this.isCosting.value || doc.nodes.length === 0) return;
    this.isCosting.value = true;
    await attempt(async () => {
      const report = await call("dryRun", { body: { workflow: saveDocument(tab) } });
      this.cost.value = { doc, report };
      const found = [
        ...report.issues.map((i) => problem(i, "error", "server")),
        ...report.shortages.map((i) => problem(i, "error", "server")),
        ...report.warnings.map((i) => problem(i, "warn", "server")),
      ];
      if (found.length > 0 && this.#page.editor.doc.value === doc) {
        this.#problems.ofServer.value = { doc, problems: found };
        this.#page.drawer.value = "problems";
      }
    });
    this.isCosting.value = false;
  }

  /** Keeps a node's result of its last run as it is, or lets it go. */
  togglePin(node: string): void {
    const tab = this.#page.editor.tabId.value;
    const pins = new Map(this.pins.value.get(tab) ?? []);
    const { run, nodes } = this.#page.runs.tabRun(tab);
    const state = nodes.get(node)?.state;
    if (pins.has(node)) pins.delete(node);
    else if (run !== undefined && (state === "done" || state === "cached")) pins.set(node, run);
    else {
      say("There is no result to pin yet: run the graph first.");
      return;
    }
    this.pins.value = new Map(this.pins.value).set(tab, pins);
  }

  /** What a person wants done after each change that is in order. A change during a run is run after it. */
  async afterChange(): Promise<void> {
    const { editor, runs } = this.#page;
    if (prefs.value.autoCost) await this.estimate();
    const { id, history } = editor.tab.value;
    if (this.#seen.get(id) === history.doc) return;
    const isWanted = prefs.value.autoRun && history.past.length > 0;
    if (isWanted && runs.isActive(id)) {
      this.#changedInRun.add(id);
      return;
    }
    this.#seen.set(id, history.doc);
    if (isWanted) await this.run();
  }
}

function nextValue(value: unknown, control: string, min: number | bigint | undefined, max: number | bigint | undefined): unknown {
  const low = min === undefined ? 0 : Number(min);
  const high = Math.min(max === undefined ? Number.MAX_SAFE_INTEGER : Number(max), Number.MAX_SAFE_INTEGER);
  if (control === "randomize") return Math.floor(Math.random() * Math.min(high - low, 2 ** 50)) + low;
  const step = control === "increment" ? 1 : -1;
  if (typeof value === "bigint") return value + BigInt(step);
  return typeof value === "number" ? Math.min(high, Math.max(low, value + step)) : value;
}
