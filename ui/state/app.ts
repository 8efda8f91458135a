// Everything the page knows, in one object; components read its signals and call its methods.
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import { z } from "zod";
import type { RunDetail } from "../../engine/api/runs.ts";
import type { Registry } from "../../engine/node/registry.ts";
import type { FormField } from "../doc/commands.ts";
import { type Doc, type Id, nodeById } from "../doc/document.ts";
import { type Flow, gradientFlow } from "../doc/gradient-flow.ts";
import { nodeFaces } from "../doc/node-face.ts";
import { call } from "../net/client.ts";
import { attempt } from "./attempt.ts";
import type { Dialog, Drawer } from "./dialogs.ts";
import { Editor, type EditorStore, NONE } from "./editor.ts";
import { GraphFiles } from "./graph-files.ts";
import { Library } from "./library.ts";
import type { NodeRun } from "./node-runs.ts";
import type { Page } from "./page.ts";
import { ModelPorts } from "./port-labels.ts";
import { shareGlobally } from "./prefs.ts";
import { Problems } from "./problems.ts";
import { Runner } from "./runner.ts";
import { Runs } from "./runs.ts";
import { changeSettings } from "./settings.ts";
import { say } from "./toasts.ts";

const formSchema = z.looseObject({ whos_who: z.looseObject({ form: z.array(z.object({ node: z.string(), widget: z.string() })) }) });

export class App implements Page {
  readonly registry: Registry;
  readonly editor: Editor;
  readonly runs: Runs;
  readonly library = new Library();
  readonly files: GraphFiles;
  readonly problems: Problems;
  readonly runner: Runner;
  readonly ports: ModelPorts;
  readonly dialog = signal<Dialog | null>(null);
  readonly drawer = signal<Drawer>(null);
  readonly isReadOnly = signal(false);
  readonly isFocus = signal(false);
  readonly isList = signal(false);
  /** Runs something that talks to the server; a failure is said where it will be seen. */
  readonly try = attempt;

  /** Widgets on the simple form, as the document keeps them. */
  readonly form: ReadonlySignal<readonly FormField[]> = computed(() => {
    const parsed = formSchema.safeParse(this.editor.doc.value.source.extra);
    return parsed.success ? parsed.data.whos_who.form : [];
  });

  /** Links of the graph in view that a gradient runs through, and where it stops. */
  readonly gradient: ReadonlySignal<ReadonlyMap<string, Flow>> = computed(() =>
    gradientFlow(this.editor.doc.value, this.editor.place.value, this.registry),
  );

  constructor(registry: Registry, session: { readonly id: string } & EditorStore) {
    this.registry = registry;
    this.editor = new Editor(nodeFaces(registry), session, (message, canUndo) =>
      say(message, canUndo ? { label: "Undo", run: () => this.editor.undo() } : undefined),
    );
    this.runs = new Runs(session.id, (what, name) => void this.#changed(what, name));
    this.files = new GraphFiles(this);
    this.ports = new ModelPorts(this.editor);
    this.problems = new Problems(this, () => void this.runner.afterChange());
    this.runner = new Runner(this, this.problems);
    for (const lost of this.editor.trouble.value) say(lost);
  }

  /** Loads what the server has and listens to it. */
  async start(): Promise<void> {
    this.runs.start();
    await this.refresh();
  }

  /** Everything anew: after a start of the server, and for the command Refresh. */
  async refresh(): Promise<void> {
    await Promise.all([
      this.library.load(),
      attempt(() => this.runs.reload(this.editor.tabs.value.tabs.map((t) => t.id))),
      attempt(async () => {
        const settings = await call("settings", {});
        shareGlobally(settings.editor, (p) => void attempt(async () => void (await changeSettings((s) => ({ ...s, editor: p })))));
      }),
    ]);
  }

  async #changed(what: string, name: string | undefined): Promise<void> {
    if (what === "reset") await this.refresh();
    else if (what === "graphs" || what === "input" || what === "models") {
      await this.library.reload(what);
      if (what === "graphs") this.files.noticeChanged(name);
    }
  }

  nodeRun(promptId: string): NodeRun | undefined {
    return this.runs.tabRun(this.editor.tabId.value).nodes.get(promptId);
  }

  async runDetail(id: string): Promise<RunDetail> {
    return call("run", { params: { id } });
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
}
