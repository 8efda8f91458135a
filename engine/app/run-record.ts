// run.json: everything about a run that a person may want to know a year later, collected from its events.
import type { Issue } from "../base/issues.ts";
import type { RunError, RunEvent } from "../graph/events.ts";
import type { Plan } from "../graph/plan.ts";
import type { RunOutcome } from "../host/compute-host.ts";
import { loggedText } from "./logged-text.ts";
import type { Versions } from "./versions.ts";

interface NodeRecord {
  readonly id: string;
  readonly type: string;
  readonly title: string;
  state: "waiting" | "running" | "finished" | "cached" | "unneeded" | "skipped";
  /** Cache key that its result is kept under; null = it is not kept. */
  key?: string | null;
  /** Time spent working; absent when it did not run. */
  ms?: number;
}

export interface Score {
  readonly node: string;
  readonly title: string;
  readonly name: string;
  readonly value: unknown;
}

/** What a person must know about a run that continued; equal warnings of one node are counted. */
interface Warning {
  readonly node: string;
  readonly title: string;
  readonly message: string;
  times: number;
}

/** Different warnings kept at most; how many were left out is recorded. */
const MAX_WARNINGS = 200;

export interface RunRecordOptions {
  readonly run: string;
  readonly workflow: { readonly file: string; readonly name: string; readonly sha256: string };
  readonly plan: Plan;
  /** The effective graph in API form, with every value that was set: `graph run run.json` runs it again. */
  readonly graph?: unknown;
  /** What is wrong in the workflow: it stopped the skipped outputs. */
  readonly issues: readonly Issue[];
  readonly warnings: readonly Issue[];
  readonly versions: Versions;
  readonly device: string;
  readonly threads: number;
}

export class RunRecord {
  readonly scores: Score[] = [];
  readonly #options: RunRecordOptions;
  readonly #nodes: ReadonlyMap<string, NodeRecord>;
  readonly #files: string[] = [];
  readonly #warnings = new Map<string, Warning>();
  #moreWarnings = 0;
  #started = 0;

  constructor(options: RunRecordOptions) {
    this.#options = options;
    const { steps, skipped } = options.plan;
    this.#nodes = new Map<string, NodeRecord>([
      ...steps.map(({ id, type, title }) => [id, { id, type, title, state: "waiting" }] as const),
      ...skipped.map(({ id, type, title }) => [id, { id, type, title, state: "skipped" }] as const),
    ]);
  }

  add(event: RunEvent): void {
    if (event.kind === "run.started") this.#started = event.at;
    if (!("node" in event)) return;
    const node = this.#nodes.get(event.node);
    if (!node) return;
    switch (event.kind) {
      case "node.started":
        node.state = "running";
        break;
      case "node.finished":
        node.state = "finished";
        node.ms = event.ms;
        node.key = event.key;
        break;
      case "node.cached":
        node.key = event.key;
        node.state = event.from === "unneeded" ? "unneeded" : "cached";
        break;
      case "node.scored":
        this.scores.push({ node: node.id, title: node.title, name: event.name, value: event.value });
        break;
      case "node.logged":
        if (event.level === "warn") this.#warn(node, loggedText(event));
        break;
      case "node.saved":
        this.#files.push(
          [event.file.type === "temp" ? "temp" : "", event.file.subfolder, event.file.filename].filter((p) => p !== "").join("/"),
        );
    }
  }

  #warn({ id, title }: NodeRecord, message: string): void {
    const key = `${id}\n${message}`;
    const known = this.#warnings.get(key);
    if (known) known.times++;
    else if (this.#warnings.size < MAX_WARNINGS) this.#warnings.set(key, { node: id, title, message, times: 1 });
    else this.#moreWarnings++;
  }

  /** The finished document. */
  document({ event, memory }: RunOutcome): unknown {
    const { run, workflow, plan, graph, issues, warnings, versions, device, threads } = this.#options;
    const error: RunError | undefined = "error" in event ? event.error : undefined;
    return {
      format: "whos-who.run",
      version: 1,
      run,
      state: event.kind.slice("run.".length),
      ...(error && { error }),
      started: new Date(this.#started || event.at).toISOString(),
      ended: new Date(event.at).toISOString(),
      seconds: "ms" in event ? event.ms / 1000 : 0,
      workflow,
      ...(graph !== undefined && { graph }),
      // Warnings about the workflow; those of nodes are in `warnings`.
      issues: [...issues.map((i) => ({ level: "error", ...i })), ...warnings.map((i) => ({ level: "warning", ...i }))],
      scores: namedScores(this.scores),
      warnings: [...this.#warnings.values()].map(({ times, ...warning }) => ({ ...warning, ...(times > 1 && { times }) })),
      ...(this.#moreWarnings > 0 && { moreWarnings: this.#moreWarnings }),
      files: this.#files,
      seeds: plan.steps.flatMap(({ id, title, widgets }) =>
        Object.entries(widgets).flatMap(([input, value]) => (/(^|_)seed$/.test(input) ? [{ node: id, title, input, value }] : [])),
      ),
      device,
      threads,
      versions,
      memory: memory && {
        peakRssBytes: memory.peakRss,
        ...(memory.peakAnonymous !== undefined && { peakAnonymousBytes: memory.peakAnonymous }),
      },
      nodes: [...this.#nodes.values()].map(({ state, ms, key, ...node }) => ({
        ...node,
        state,
        ...(key !== undefined && { key }),
        cached: state === "cached" || state === "unneeded",
        ...(ms !== undefined && { ms }),
      })),
    };
  }
}

/** By name; a name that several nodes use is told apart by node: `sir (node 12)`. */
export function namedScores(scores: readonly Score[]): Record<string, unknown> {
  const out = new Map<string, unknown>();
  for (const { node, name, value } of scores) {
    const others = scores.some((s) => s.name === name && s.node !== node);
    out.set(others ? `${name} (node ${node})` : name, value);
  }
  return Object.fromEntries(out);
}
