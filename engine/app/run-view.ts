// A run as people see it, collected from its events: while it runs, or later from the log when the server was killed.
import type { FileRef } from "../api/files.ts";
import type { RunDetail, RunSummary } from "../api/runs.ts";
import { shown } from "../api/shown.ts";
import type { RunEvent } from "../graph/events.ts";
import { loggedText } from "./logged-text.ts";

export interface StepTitle {
  readonly id: string;
  readonly type: string;
  readonly title: string;
}

type NodeView = RunDetail["nodes"][number];
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const MAX_PICTURES = 8;
/** Lines kept per node; after that, one line says that there were more. */
const MAX_LOGS = 200;
const PICTURE = /\.(png|jpe?g|webp)$/i;

export class RunView {
  readonly #nodes = new Map<string, Mutable<NodeView>>();
  readonly #keys = new Map<string, string>();
  readonly #scores = new Map<string, RunSummary["scores"][number]>();
  readonly #pictures = new Map<string, FileRef>();
  readonly #trainings = new Map<string, string>();
  readonly #total: number;
  #done = 0;
  #node: string | null = null;
  #canPause = false;

  constructor(steps: readonly StepTitle[]) {
    this.#total = steps.length;
    for (const { id, type, title } of steps) this.#nodes.set(id, { id, type, title, state: "waiting", files: [], logs: [] });
  }

  add(event: RunEvent): void {
    if (event.kind === "run.failed" && event.error.node !== undefined) {
      const failed = this.#nodes.get(event.error.node);
      if (failed) failed.state = "failed";
    }
    if (!("node" in event)) {
      if (event.kind !== "run.started") this.#node = null;
      return;
    }
    const node = this.#nodes.get(event.node);
    if (!node) return;
    switch (event.kind) {
      case "node.started":
        node.state = "running";
        if (event.linked) node.linked = event.linked;
        this.#node = node.id;
        this.#canPause = event.stop === "finish";
        break;
      case "node.finished":
        node.state = "finished";
        node.ms = event.ms;
        this.#settle(node.id, event.key);
        break;
      case "node.cached":
        node.state = event.from === "unneeded" ? "unneeded" : "cached";
        this.#settle(node.id, event.key);
        break;
      case "node.scored":
        this.#scores.set(`${node.id}\n${event.name}`, {
          node: node.id,
          type: node.type,
          title: node.title,
          name: event.name,
          value: event.value,
        });
        break;
      case "node.shown":
        node.shown = event.ui;
        this.#look(node.id, event.ui);
        break;
      case "node.saved":
        node.files.push(event.file);
        if (PICTURE.test(event.file.filename)) this.#picture(event.file);
        break;
      case "node.logged":
        if (event.alarm) node.alarms = [...(node.alarms ?? []), { ...event.alarm, message: event.message }];
        if (node.logs.length < MAX_LOGS) node.logs.push({ level: event.level, message: loggedText(event) });
        else if (node.logs.length === MAX_LOGS) node.logs.push({ level: "info", message: "more was said; it is not kept" });
    }
  }

  get progress(): RunSummary["progress"] {
    return { done: this.#done, total: this.#total, node: this.#node };
  }

  /** The current node ends and saves when it is asked to. */
  get canPause(): boolean {
    return this.#node !== null && this.#canPause;
  }

  get scores(): RunSummary["scores"] {
    return [...this.#scores.values()];
  }

  /** Kept ones first. */
  get pictures(): FileRef[] {
    const all = [...this.#pictures.values()];
    return [...all.filter((p) => p.type === "output"), ...all.filter((p) => p.type !== "output")].slice(0, MAX_PICTURES);
  }

  get nodes(): NodeView[] {
    return [...this.#nodes.values()];
  }

  /** Keys of kept results, by node. */
  get keys(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#keys);
  }

  /** Run directories of trainings, by node. */
  get trainings(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#trainings);
  }

  #settle(id: string, key: string | null | undefined): void {
    this.#done++;
    if (this.#node === id) this.#node = null;
    this.#canPause = false;
    if (typeof key === "string") this.#keys.set(id, key);
  }

  #look(id: string, ui: Readonly<Record<string, readonly unknown[]>>): void {
    const { data } = shown.safeParse(ui);
    for (const image of data?.images ?? []) if (PICTURE.test(image.filename)) this.#picture(image);
    for (const { directory } of data?.training ?? []) this.#trainings.set(id, directory);
  }

  #picture(file: FileRef): void {
    this.#pictures.set(`${file.type}/${file.subfolder}/${file.filename}`, file);
  }
}
