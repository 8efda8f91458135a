// Everything the page knows, in one object; components read its signals and call its methods.
import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { z } from "zod";
import { type FileInfo, type FileRef, fileUrl } from "../../engine/api/files.ts";
import type { GraphInfo, StartingPoint } from "../../engine/api/graphs.ts";
import type { Answer } from "../../engine/api/routes.ts";
import type { DryRunReport, QueueState, RunDetail } from "../../engine/api/runs.ts";
import type { SystemInfo } from "../../engine/api/system.ts";
import type { Registry } from "../../engine/node/registry.ts";
import type { Command, FormField } from "../doc/commands.ts";
import { type Doc, type DocGraph, type DocNode, type Id, linkById, nodeById, type Place } from "../doc/document.ts";
import { type Flow, gradientFlow } from "../doc/gradient-flow.ts";
import { nodeFaces } from "../doc/node-face.ts";
import { isDirty, openDocument, openTab, saveDocument, type Tab } from "../doc/tabs.ts";
import { widgetsOf } from "../doc/widgets.ts";
import { ApiFailure, call } from "../net/client.ts";
import { type Check, checkDocument, type Problem, problem } from "./checks.ts";
import { Editor, type EditorStore, NONE } from "./editor.ts";
import { inputName, inputRef } from "./input-name.ts";
import type { NodeRun } from "./node-runs.ts";
import { prefs, shareGlobally } from "./prefs.ts";
import { Runs } from "./runs.ts";
import { changeSettings } from "./settings.ts";
import { say } from "./toasts.ts";

export type Dialog =
  | { readonly kind: "gallery" }
  | { readonly kind: "settings" }
  | { readonly kind: "shortcuts" }
  | { readonly kind: "palette"; readonly query?: string }
  | { readonly kind: "viewer"; readonly pictures: readonly FileRef[]; readonly index: number; readonly before?: FileRef }
  | { readonly kind: "save"; readonly tab: string }
  | { readonly kind: "close"; readonly tab: string }
  | { readonly kind: "conflict"; readonly tab: string }
  | { readonly kind: "form" }
  | { readonly kind: "rename-group"; readonly index: number; readonly title: string }
  | { readonly kind: "compare"; readonly run: string }
  | { readonly kind: "result"; readonly node: string }
  | { readonly kind: "publish"; readonly node: Id }
  | { readonly kind: "mask"; readonly place: Place; readonly node: Id; readonly widget: string; readonly picture: string };

export type Drawer = "problems" | "queue" | "log" | null;

const formSchema = z.looseObject({ whos_who: z.looseObject({ form: z.array(z.object({ node: z.string(), widget: z.string() })) }) });

type ModelList = Answer<"models">;

export class App {
  readonly registry: Registry;
  readonly editor: Editor;
  readonly runs: Runs;
  readonly system = signal<SystemInfo | undefined>(undefined);
  readonly models = signal<ModelList | undefined>(undefined);
  readonly inputs = signal<readonly FileInfo[]>([]);
  readonly graphs = signal<readonly GraphInfo[]>([]);
  readonly gallery = signal<readonly StartingPoint[]>([]);
  readonly dialog = signal<Dialog | null>(null);
  readonly drawer = signal<Drawer>(null);
  readonly isReadOnly = signal(false);
  readonly isFocus = signal(false);
  readonly isList = signal(false);
  readonly check = signal<Check>({ problems: [], prompt: undefined });
  /** What the server finds beyond that: files and models that are not there. */
  readonly serverProblems = signal<{ readonly doc: Doc; readonly problems: readonly Problem[] } | undefined>(undefined);
  readonly cost = signal<{ readonly doc: Doc; readonly report: DryRunReport } | undefined>(undefined);
  readonly isCosting = signal(false);
  /** Prompt id → run whose result stands. By tab. */
  readonly pins = signal<ReadonlyMap<string, ReadonlyMap<string, string>>>(new Map());
  readonly batchCount = signal(1);
  /** Names that a model file gives to the sockets of a node, once the file has been read. */
  readonly #modelPorts = signal<ReadonlyMap<string, PortLabels | undefined>>(new Map());
  readonly portLabels: ReadonlySignal<(node: DocNode) => PortLabels | undefined> = computed(() => {
    const known = this.#modelPorts.value;
    const { graph } = this.editor;
    return (node) => this.#portsOf(node, graph.value, known);
  });
  /** What a run could not be started for. */
  readonly refusedRun = signal<{ readonly tab: string; readonly problems: readonly Problem[] } | undefined>(undefined);

  /** Widgets on the simple form, as the document keeps them. */
  readonly form: ReadonlySignal<readonly FormField[]> = computed(() => {
    const parsed = formSchema.safeParse(this.editor.doc.value.source.extra);
    return parsed.success ? parsed.data.whos_who.form : [];
  });

  readonly problems: ReadonlySignal<readonly Problem[]> = computed(() => {
    const doc = this.editor.doc.value;
    const live = this.check.value.problems;
    const server = this.serverProblems.value?.doc === doc ? this.serverProblems.value.problems : [];
    const refused = this.refusedRun.value?.tab === this.editor.tabId.value ? this.refusedRun.value.problems : [];
    const run = this.runProblems.value;
    const seen = new Set<string>();
    return [...run, ...live, ...server, ...refused].filter((p) => {
      const key = `${p.code} ${p.node} ${p.input} ${p.message}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
  });

  /** Links of the graph in view that a gradient runs through, and where it stops. */
  readonly gradient: ReadonlySignal<ReadonlyMap<string, Flow>> = computed(() =>
    gradientFlow(this.editor.doc.value, this.editor.place.value, this.registry),
  );

  readonly runProblems: ReadonlySignal<readonly Problem[]> = computed(() => {
    const tab = this.editor.tabId.value;
    const summary = this.runs.summaryOf(tab);
    const { nodes } = this.runs.tabRun(tab);
    const warnings = [...nodes].flatMap(([id, n]) =>
      n.logs.flatMap((l): Problem[] =>
        l.level === "warn"
          ? [{ level: "warn", code: "NODE_WARNING", node: id, input: undefined, message: l.message, hint: undefined, source: "run" }]
          : [],
      ),
    );
    if (summary?.state !== "failed" && summary?.state !== "interrupted") return warnings;
    const { error } = summary;
    const told: Problem = error
      ? {
          level: "error",
          code: error.code,
          node: error.node,
          input: inputOf(error.details),
          message: error.message,
          hint: error.hint,
          source: "run",
        }
      : {
          level: "error",
          code: "RUN_INTERRUPTED",
          node: undefined,
          input: undefined,
          message: "The server ended while this ran.",
          hint: "Run again: what was done is kept.",
          source: "run",
        };
    return [told, ...warnings];
  });

  constructor(registry: Registry, session: { readonly id: string } & EditorStore) {
    this.registry = registry;
    this.editor = new Editor(nodeFaces(registry), session, (message, canUndo) =>
      say(message, canUndo ? { label: "Undo", run: () => this.editor.undo() } : undefined),
    );
    this.runs = new Runs(session.id, (what, name) => this.#changed(what, name));
    for (const lost of this.editor.trouble.value) say(lost);
    this.#checkWhileDrawing();
  }

  /** Loads what the server has and listens to it. */
  async start(): Promise<void> {
    this.runs.start();
    await this.refresh();
  }

  /** Everything anew: after a start of the server, and for the command Refresh. */
  async refresh(): Promise<void> {
    // Each for itself: a folder that can't be read does not hide the others.
    const load = <T>(signal: Signal<T>, get: () => Promise<T>): Promise<boolean> =>
      this.try(async () => {
        signal.value = await get();
      });
    await Promise.all([
      load(this.system, () => call("system", {})),
      load(this.models, () => call("models", {})),
      load(this.inputs, async () => (await call("files", { params: { root: "input" }, query: { kind: "picture", limit: 1000 } })).files),
      load(this.graphs, async () => (await call("graphs", {})).graphs),
      load(this.gallery, async () => (await call("gallery", {})).points),
      this.try(() => this.runs.reload(this.editor.tabs.value.tabs.map((t) => t.id))),
      this.try(async () => {
        const settings = await call("settings", {});
        shareGlobally(settings.editor, (p) => void this.try(async () => void (await changeSettings((s) => ({ ...s, editor: p })))));
      }),
    ]);
  }

  #changed(what: string, name: string | undefined): void {
    if (what === "reset") void this.refresh();
    else if (what === "graphs") {
      void this.try(async () => {
        this.graphs.value = (await call("graphs", {})).graphs;
        this.#noticeChangedGraph(name);
      });
    } else if (what === "input")
      void this.try(async () => {
        this.inputs.value = (await call("files", { params: { root: "input" }, query: { kind: "picture", limit: 1000 } })).files;
      });
    else if (what === "models")
      void this.try(async () => {
        this.models.value = await call("models", {});
      });
  }

  /** An unchanged tab follows what another browser tab saved; a changed one is told when it saves. */
  #noticeChangedGraph(name: string | undefined): void {
    const info = this.graphs.value.find((g) => g.name === name);
    const tab = this.editor.tabs.value.tabs.find((t) => t.name === name && t.saved !== undefined);
    if (!info || !tab || tab.revision === info.revision || isDirty(tab)) return;
    void this.try(async () => {
      const { document, info: now } = await call("graph", { params: { name: info.name } });
      const doc = openDocument(document, this.editor.faces, crypto.randomUUID());
      this.editor.edit(
        (t) => (isDirty(t) ? t : { ...openTab(t.id, t.name, doc, { revision: now.revision, isSaved: true }), views: t.views }),
        tab.id,
      );
      say(`${info.name} was changed in another window; this is how it is now.`);
    });
  }

  /** Runs something that talks to the server; a failure is said where it will be seen. */
  async try(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof ApiFailure) {
        // The banner says that the server is gone.
        if (error.code !== "SERVER_GONE") say(error.hint ? `${error.message} ${sentence(error.hint)}` : error.message);
      } else say(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  #checkWhileDrawing(): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let later: ReturnType<typeof setTimeout> | undefined;
    let checked: Doc | undefined;
    effect(() => {
      const doc = this.editor.doc.value;
      if (doc === checked) return;
      clearTimeout(timer);
      clearTimeout(later);
      timer = setTimeout(() => {
        checked = doc;
        this.check.value = checkDocument(doc, this.registry);
        this.refusedRun.value = undefined;
        later = setTimeout(() => void this.#askServer(doc), 400);
      }, 60);
    });
  }

  async #askServer(doc: Doc): Promise<void> {
    if (doc.nodes.length === 0 || this.runs.isConnected.value !== true) return;
    try {
      const report = await call("validate", { body: { workflow: saveDocument(this.editor.tab.value) } });
      if (this.editor.doc.value !== doc) return;
      this.serverProblems.value = {
        doc,
        problems: [...report.issues.map((i) => problem(i, "error", "server")), ...report.warnings.map((i) => problem(i, "warn", "server"))],
      };
      if (prefs.value.autoCost && report.ok) await this.estimate();
      if (prefs.value.autoRun && report.ok && this.editor.tab.value.history.past.length > 0 && !this.runs.isActive(this.editor.tabId.value))
        await this.run();
    } catch {
      // The banner says that the server is gone; the page's own checks stand.
    }
  }

  // Running ----------------------------------------------------------------------------------------------------------------------

  /** Queues the graph in view. `targets`: prompt ids of output nodes, when not all are wanted. */
  async run(options: { readonly front?: boolean; readonly targets?: readonly string[] } = {}): Promise<void> {
    for (let i = 0; i < this.batchCount.value; i++) if (!(await this.#submit(options))) return;
  }

  async #submit({ front = false, targets }: { readonly front?: boolean; readonly targets?: readonly string[] }): Promise<boolean> {
    const tab = this.editor.tab.value;
    const check = checkDocument(tab.history.doc, this.registry);
    this.check.value = check;
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
          client: this.runs.client(tab.id),
          key,
          front,
          ...(targets && { targets: [...targets] }),
          ...(pins.size > 0 && { pinned: [...pins].map(([node, run]) => ({ node, run })) }),
        },
      });
      this.refusedRun.value = undefined;
      if (!this.runs.isActive(tab.id)) this.runs.begin(tab.id, summary, Object.keys(check.prompt ?? {}));
      this.#afterQueueing(tab);
      return true;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      const problems = error.issues.map((i) => problem(i, "error", "server"));
      this.refusedRun.value = {
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
      this.drawer.value = "problems";
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
        widgetsOf(doc, node, this.editor.faces).flatMap((w) => {
          if (w.linked || w.control === undefined || w.control === "fixed" || node.mode !== 0) return [];
          return [{ id: node.id, name: w.face.name, value: nextValue(w.value, w.control, w.face.min, w.face.max) }];
        }),
      );
      return values.length > 0 ? [{ name: "widgets.set", args: { place, values } }] : [];
    });
    if (commands.length > 0 && this.editor.tabId.value === tab.id) this.editor.perform(commands, "Next seed");
  }

  /** Stops what this tab runs, or else what runs. */
  async stop(): Promise<void> {
    const own = this.runs.summaryOf(this.editor.tabId.value);
    const id = own && (own.state === "running" || own.state === "queued") ? own.id : this.runs.queue.value.running;
    if (!id) {
      say("Nothing is running.");
      return;
    }
    await this.try(async () => {
      await call("cancel", { params: { id } });
      say("Stopping.");
    });
  }

  async pause(): Promise<void> {
    const running = this.runs.queue.value.running;
    await this.try(async () => {
      if (running) {
        try {
          await call("pause", { params: { id: running } });
          say("The training ends its step, saves, and pauses.");
          return;
        } catch (error) {
          if (!(error instanceof ApiFailure) || error.code !== "RUN_CANNOT_PAUSE") throw error;
        }
      }
      const isPaused = this.runs.queue.value.isPaused;
      this.runs.queue.value = await call(isPaused ? "resumeQueue" : "pauseQueue", {});
      say(isPaused ? "The queue goes on." : "The queue is paused: what runs goes on, nothing new begins.");
    });
  }

  /** A change to the queue, and how it is then. */
  async setQueue(change: () => Promise<QueueState>): Promise<void> {
    await this.try(async () => {
      this.runs.queue.value = await change();
    });
  }

  async estimate(): Promise<void> {
    const tab = this.editor.tab.value;
    const { doc } = tab.history;
    if (this.isCosting.value || doc.nodes.length === 0) return;
    this.isCosting.value = true;
    await this.try(async () => {
      const report = await call("dryRun", { body: { workflow: saveDocument(tab) } });
      this.cost.value = { doc, report };
      const found = [
        ...report.issues.map((i) => problem(i, "error", "server")),
        ...report.shortages.map((i) => problem(i, "error", "server")),
        ...report.warnings.map((i) => problem(i, "warn", "server")),
      ];
      if (found.length > 0 && this.editor.doc.value === doc) {
        this.serverProblems.value = { doc, problems: found };
        this.drawer.value = "problems";
      }
    });
    this.isCosting.value = false;
  }

  /** Keeps a node's result of its last run as it is, or lets it go. */
  togglePin(node: string): void {
    const tab = this.editor.tabId.value;
    const pins = new Map(this.pins.value.get(tab) ?? []);
    const { run, nodes } = this.runs.tabRun(tab);
    const state = nodes.get(node)?.state;
    if (pins.has(node)) pins.delete(node);
    else if (run !== undefined && (state === "done" || state === "cached")) pins.set(node, run);
    else {
      say("There is no result to pin yet: run the graph first.");
      return;
    }
    this.pins.value = new Map(this.pins.value).set(tab, pins);
  }

  /** ApplyOnnx shows the inputs and outputs of the file that feeds it; a node that names an .onnx itself shows its own. */
  #portsOf(node: DocNode, graph: DocGraph, known: ReadonlyMap<string, PortLabels | undefined>): PortLabels | undefined {
    const named = onnxFile(node, this.editor) ?? (node.type === "ApplyOnnx" ? feeding(node, graph, this.editor) : undefined);
    if (!named) return undefined;
    const key = `${named.folder}/${named.name}`;
    if (!known.has(key)) void this.#readPorts(named, key);
    return known.get(key);
  }

  async #readPorts(file: { readonly folder: string; readonly name: string }, key: string): Promise<void> {
    await Promise.resolve();
    if (this.#modelPorts.value.has(key)) return;
    this.#modelPorts.value = new Map(this.#modelPorts.value).set(key, undefined);
    try {
      const { inputs, outputs } = await call("model", { params: file });
      const named = (ports: typeof inputs, prefix: string): Record<string, string> =>
        Object.fromEntries(ports.map((p, i) => [`${prefix}_${i + 1}`, `${p.name} · ${p.dtype} ${p.shape.join("×")}`]));
      this.#modelPorts.value = new Map(this.#modelPorts.value).set(key, {
        inputLabels: named(inputs, "input"),
        outputLabels: named(outputs, "output"),
      });
    } catch {
      // The check says that the file is missing.
    }
  }

  nodeRun(promptId: string): NodeRun | undefined {
    return this.runs.tabRun(this.editor.tabId.value).nodes.get(promptId);
  }

  // Going places -----------------------------------------------------------------------------------------------------------------

  /** Set by the canvas: brings a node of the graph in view to the middle. */
  reveal: (id: Id) => void = () => undefined;

  /** Selects the node with this prompt id, entering subgraphs as needed, and brings it into view. */
  goTo(promptId: string): void {
    const parts = promptId.split(":");
    const last = parts.at(-1);
    if (last === undefined) return;
    batch(() => {
      this.editor.edit((t) => ({ ...t, path: parts.slice(0, -1) }));
      const node = nodeById(this.editor.graph.value, last);
      if (!node) return;
      this.editor.selection.value = { ...NONE, nodes: [node.id] };
    });
    const node = nodeById(this.editor.graph.value, last);
    if (node) requestAnimationFrame(() => this.reveal(node.id));
  }

  titleAt(promptId: string): string {
    const parts = promptId.split(":");
    let graph: Pick<Doc, "nodes"> = this.editor.doc.value;
    for (const part of parts.slice(0, -1)) {
      const type = graph.nodes.find((n) => String(n.id) === part)?.type;
      graph = this.editor.doc.value.subgraphs.find((s) => s.id === type) ?? graph;
    }
    const node = graph.nodes.find((n) => String(n.id) === parts.at(-1));
    return node ? (node.title ?? node.type) : `node ${promptId}`;
  }

  // Files ------------------------------------------------------------------------------------------------------------------------

  /** Opens a saved graph; one that is open already comes forward. */
  async openGraph(name: string): Promise<void> {
    const open = this.editor.tabs.value.tabs.find((t) => t.name === name && t.saved !== undefined);
    if (open) {
      this.editor.activate(open.id);
      return;
    }
    await this.try(async () => {
      const { info, document } = await call("graph", { params: { name } });
      this.editor.open(document, info.name, { revision: info.revision, isSaved: true });
    });
  }

  async openStartingPoint(name: string): Promise<void> {
    await this.try(async () => {
      const { point, document } = await call("galleryGraph", { params: { name } });
      this.editor.open(document, point.name);
      this.dialog.value = null;
    });
  }

  /** The graph of an earlier run, with its results on the nodes. */
  async openRun(id: string): Promise<void> {
    await this.try(async () => {
      const detail = await call("run", { params: { id } });
      const tab = this.editor.open(detail.workflow ?? detail.prompt, detail.summary.name);
      this.runs.showDetail(tab.id, detail);
    });
  }

  async runDetail(id: string): Promise<RunDetail> {
    return call("run", { params: { id } });
  }

  /** Saves under the tab's name; a tab that was never saved asks for one. */
  async save(id = this.editor.tabId.value, options: { readonly name?: string; readonly overwrite?: boolean } = {}): Promise<void> {
    const tab = this.editor.tabs.value.tabs.find((t) => t.id === id);
    if (!tab) return;
    if (tab.saved === undefined && options.name === undefined) {
      this.dialog.value = { kind: "save", tab: id };
      return;
    }
    const name = options.name ?? tab.name;
    const { doc } = tab.history;
    const isNew = tab.saved === undefined || name !== tab.name;
    try {
      const body = { document: saveDocument(tab), ...(options.overwrite ? {} : { base: isNew ? null : tab.revision }) };
      const info = await call("saveGraph", { params: { name }, body });
      this.editor.edit((t) => ({ ...t, name: info.name, revision: info.revision, saved: doc }), id);
      if (this.dialog.value?.kind === "save" || this.dialog.value?.kind === "conflict") this.dialog.value = null;
      say(`Saved ${info.name}`);
      this.graphs.value = (await call("graphs", {})).graphs;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (error.code === "GRAPH_CHANGED") this.dialog.value = { kind: "conflict", tab: id };
      else say(`${name} was not saved: ${error.message} ${sentence(error.hint)}`);
    }
  }

  /** Deletes a saved graph; the toast offers it back. */
  async removeGraph(name: string): Promise<void> {
    await this.try(async () => {
      const kept = await call("graph", { params: { name } });
      await call("removeGraph", { params: { name } });
      this.graphs.value = this.graphs.value.filter((g) => g.name !== name);
      say(`Deleted ${name}`, {
        label: "Undo",
        run: () =>
          void this.try(async () => void (await call("saveGraph", { params: { name }, body: { document: kept.document, base: null } }))),
      });
    });
  }

  /** Puts a picture into the input folder and returns the name a LoadImage takes. */
  async upload(file: File): Promise<string | undefined> {
    let name: string | undefined;
    await this.try(async () => {
      const info = await call("upload", {
        query: { name: file.name === "" ? "pasted.png" : file.name },
        body: new Uint8Array(await file.arrayBuffer()),
      });
      this.inputs.value = [
        info,
        ...this.inputs.value.filter((f) => f.ref.filename !== info.ref.filename || f.ref.subfolder !== info.ref.subfolder),
      ];
      name = inputName(info.ref);
    });
    return name;
  }

  /** Names a file widget may take; undefined when the widget names no file, or they are not loaded. */
  fileChoices(
    file: { readonly kind: "input" } | { readonly kind: "model"; readonly folder: string } | undefined,
  ): readonly string[] | undefined {
    if (!file) return undefined;
    if (file.kind === "input") return this.inputs.value.map((f) => inputName(f.ref));
    return this.models.value?.models.flatMap((m) => (m.folder === file.folder ? [m.name] : []));
  }

  closeTab(id: string, force = false): void {
    const { tabs } = this.editor.tabs.value;
    const at = tabs.findIndex((t) => t.id === id);
    const tab = tabs[at];
    if (!tab) return;
    if (isDirty(tab) && !force) {
      this.dialog.value = { kind: "close", tab: id };
      return;
    }
    this.editor.close(id);
    this.dialog.value = null;
    if (tab.history.doc.nodes.length > 0) say(`Closed ${tab.name}`, { label: "Reopen", run: () => this.editor.reopen(tab, at) });
  }

  inputUrl(name: string, width?: number): string {
    return fileUrl(inputRef(name), width);
  }
}

export interface PortLabels {
  readonly inputLabels: Readonly<Record<string, string>>;
  readonly outputLabels: Readonly<Record<string, string>>;
}

function onnxFile(node: DocNode, editor: Editor): { readonly folder: string; readonly name: string } | undefined {
  const widget = editor.faces.get(node.type)?.inputs.find((i) => i.kind === "widget" && i.file?.kind === "model");
  if (widget?.kind !== "widget" || widget.file?.kind !== "model") return undefined;
  const value = widgetsOf(editor.doc.peek(), node, editor.faces).find((w) => w.face.name === widget.name)?.value;
  return typeof value === "string" && value.endsWith(".onnx") ? { folder: widget.file.folder, name: value } : undefined;
}

function feeding(node: DocNode, graph: DocGraph, editor: Editor): { readonly folder: string; readonly name: string } | undefined {
  for (const input of node.inputs) {
    const link = linkById(graph, input.link);
    const source = link && nodeById(graph, link.origin_id);
    const file = source && onnxFile(source, editor);
    if (file) return file;
  }
  return undefined;
}

/** A hint as a sentence of its own. */
export function sentence(hint: string): string {
  if (hint === "") return "";
  const capital = hint.charAt(0).toUpperCase() + hint.slice(1);
  return /[.?!]$/.test(capital) ? capital : `${capital}.`;
}

function inputOf(details: Readonly<Record<string, unknown>> | undefined): string | undefined {
  return typeof details?.input === "string" ? details.input : undefined;
}

function nextValue(value: unknown, control: string, min: number | bigint | undefined, max: number | bigint | undefined): unknown {
  const low = min === undefined ? 0 : Number(min);
  const high = Math.min(max === undefined ? Number.MAX_SAFE_INTEGER : Number(max), Number.MAX_SAFE_INTEGER);
  if (control === "randomize") return Math.floor(Math.random() * Math.min(high - low, 2 ** 50)) + low;
  const step = control === "increment" ? 1 : -1;
  if (typeof value === "bigint") return value + BigInt(step);
  return typeof value === "number" ? Math.min(high, Math.max(low, value + step)) : value;
}
