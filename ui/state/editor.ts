// Open tabs and everything done to them. The one writer of documents in the page.
import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { parseJson, stringifyJson } from "../../engine/base/json.ts";
import { type Clip, copyNodes, pastedIds } from "../doc/clipboard.ts";
import { type Command, describeCommand } from "../doc/commands.ts";
import { type Doc, type DocGraph, graphAt, type Id, nodeById, type Place, type Point } from "../doc/document.ts";
import { type History, perform, performAll, redo, seal, undo } from "../doc/history.ts";
import type { NodeFaces } from "../doc/node-face.ts";
import { emptyDocument } from "../doc/read-document.ts";
import { dumpTabs, isDirty, openDocument, openTab, placeOf, restoreTabs, type Tab, type Tabs, type View } from "../doc/tabs.ts";

export interface Selected {
  readonly nodes: readonly Id[];
  readonly groups: readonly number[];
  readonly reroutes: readonly Id[];
}
export const NONE: Selected = { nodes: [], groups: [], reroutes: [] };

export interface EditorStore {
  readonly text: string | undefined;
  write(text: string): Promise<void>;
  /** The page goes: keep it before this returns. */
  writeNow(text: string): void;
}

export class Editor {
  readonly faces: NodeFaces;
  readonly tabs: Signal<Tabs>;
  /** Changes with every movement of the view: what needs only a part of it takes that part. */
  readonly tab: ReadonlySignal<Tab>;
  readonly tabId: ReadonlySignal<string>;
  readonly tabName: ReadonlySignal<string>;
  readonly doc: ReadonlySignal<Doc>;
  readonly place: ReadonlySignal<Place>;
  readonly graph: ReadonlySignal<DocGraph>;
  readonly selection = signal<Selected>(NONE);
  /** What could not be restored, or not be kept. */
  readonly trouble = signal<readonly string[]>([]);
  readonly #path: ReadonlySignal<readonly Id[]>;
  readonly #say: (message: string, undo?: boolean) => void;
  #clip: Clip | undefined;

  constructor(faces: NodeFaces, store: EditorStore, say: (message: string, undo?: boolean) => void) {
    this.faces = faces;
    this.#say = say;
    const restored = restoreTabs(readStored(store.text), faces);
    this.trouble.value = restored.lost;
    this.tabs = signal(restored.tabs ?? firstTab());
    this.tab = computed(
      () =>
        this.tabs.value.tabs.find((t) => t.id === this.tabs.value.active) ?? this.tabs.value.tabs[0] ?? firstTab().tabs[0] ?? unreachable(),
    );
    this.tabId = computed(() => this.tab.value.id);
    this.tabName = computed(() => this.tab.value.name);
    this.doc = computed(() => this.tab.value.history.doc);
    this.place = computed(() => placeOf(this.tab.value).place);
    let last: readonly Id[] = [];
    this.#path = computed(() => {
      const { path } = placeOf(this.tab.value);
      if (path.length !== last.length || path.some((id, i) => id !== last[i])) last = path;
      return last;
    });
    this.graph = computed(() => graphAt(this.doc.value, this.place.value));
    this.#keep(store);
  }

  /** Written soon after every change, and at once when the page goes. */
  #keep(store: EditorStore): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let pending = false;
    const write = (): void => {
      clearTimeout(timer);
      if (!pending) return;
      pending = false;
      store.write(stringifyJson(dumpTabs(this.tabs.value))).then(
        () => {
          if (this.trouble.value.includes(NOT_KEPT)) this.trouble.value = this.trouble.value.filter((t) => t !== NOT_KEPT);
        },
        () => {
          if (!this.trouble.value.includes(NOT_KEPT)) this.trouble.value = [...this.trouble.value, NOT_KEPT];
        },
      );
    };
    let isFirst = true;
    effect(() => {
      void this.tabs.value;
      if (isFirst) {
        isFirst = false;
        return;
      }
      pending = true;
      clearTimeout(timer);
      timer = setTimeout(write, 300);
    });
    addEventListener("pagehide", () => {
      if (pending) store.writeNow(stringifyJson(dumpTabs(this.tabs.value)));
      write();
    });
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && write());
  }

  // Changes ----------------------------------------------------------------------------------------------------------------------

  /** Performs commands as one step. What does not apply is said, and nothing changes. Returns whether anything did. */
  perform(commands: readonly Command[], label?: string): boolean {
    const { history } = this.tab.value;
    const [only] = commands;
    try {
      const next =
        commands.length === 1 && only
          ? perform(history, only, this.faces, label)
          : performAll(history, commands, this.faces, label ?? (only ? describeCommand(only) : "Edit"));
      if (next === history) return false;
      this.#setHistory(next);
      return true;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#say(error.message);
      return false;
    }
  }

  /** Performs, then selects the nodes that are new. */
  add(command: Command, label?: string): readonly Id[] {
    const before = this.graph.value;
    if (!this.perform([command], label)) return [];
    const ids = pastedIds(before, this.graph.value);
    this.selection.value = { ...NONE, nodes: ids };
    return ids;
  }

  #setHistory(history: History): void {
    batch(() => {
      this.edit((t) => ({ ...t, history }));
      this.#trimSelection();
    });
  }

  /** Ids that are gone are no longer selected. */
  #trimSelection(): void {
    const { nodes, groups, reroutes } = this.selection.value;
    const graph = this.graph.value;
    const kept = nodes.filter((id) => id === -10 || id === -20 || nodeById(graph, id));
    const keptGroups = groups.filter((i) => i < graph.groups.length);
    const keptReroutes = reroutes.filter((id) => graph.reroutes.some((r) => r.id === id));
    if (kept.length !== nodes.length || keptGroups.length !== groups.length || keptReroutes.length !== reroutes.length)
      this.selection.value = { nodes: kept, groups: keptGroups, reroutes: keptReroutes };
  }

  undo(): void {
    const step = this.tab.value.history.past.at(-1);
    if (step) this.#setHistory(undo(this.tab.value.history));
    this.#say(step ? `Undone: ${step.label}` : "Nothing to undo");
  }
  redo(): void {
    const step = this.tab.value.history.future.at(-1);
    if (step) this.#setHistory(redo(this.tab.value.history));
    this.#say(step ? `Redone: ${step.label}` : "Nothing to redo");
  }
  /** The next change is a step of its own. */
  seal(): void {
    const history = seal(this.tab.value.history);
    if (history !== this.tab.value.history) this.edit((t) => ({ ...t, history }));
  }

  // Clipboard --------------------------------------------------------------------------------------------------------------------

  copy(): Clip | undefined {
    const { nodes, groups } = this.selection.value;
    const ids = nodes.filter((id) => id !== -10 && id !== -20);
    if (ids.length === 0 && groups.length === 0) return undefined;
    this.#clip = copyNodes(this.doc.value, this.place.value, ids, groups);
    return this.#clip;
  }
  paste(pos: Point, withLinks: boolean, clip = this.#clip): void {
    if (!clip) return;
    this.add({ name: "clip.paste", args: { place: this.place.value, clip, pos, withLinks } });
  }

  // Tabs -------------------------------------------------------------------------------------------------------------------------

  edit(change: (tab: Tab) => Tab, id = this.tab.value.id): void {
    const { tabs, active } = this.tabs.value;
    this.tabs.value = { tabs: tabs.map((t) => (t.id === id ? change(t) : t)), active };
  }

  /** Opens a workflow in a tab of its own; an untouched empty tab gives way to it. @throws AppError when it is no workflow */
  open(value: unknown, name: string, options: { readonly revision?: string | null; readonly isSaved?: boolean } = {}): Tab {
    const doc = openDocument(value, this.faces, crypto.randomUUID());
    return this.show(openTab(crypto.randomUUID(), name, doc, options));
  }

  show(tab: Tab): Tab {
    const { tabs } = this.tabs.value;
    const current = this.tab.value;
    const isUntouched = !isDirty(current) && current.saved === undefined && current.history.past.length === 0;
    batch(() => {
      this.selection.value = NONE;
      this.tabs.value = { tabs: isUntouched ? tabs.map((t) => (t === current ? tab : t)) : [...tabs, tab], active: tab.id };
    });
    return tab;
  }

  newTab(): void {
    const names = new Set(this.tabs.value.tabs.map((t) => t.name));
    let name = "untitled";
    for (let n = 2; names.has(name); n++) name = `untitled ${n}`;
    const tab = openTab(crypto.randomUUID(), name, emptyDocument(crypto.randomUUID()));
    batch(() => {
      this.selection.value = NONE;
      this.tabs.value = { tabs: [...this.tabs.value.tabs, tab], active: tab.id };
    });
  }

  activate(id: string): void {
    if (id === this.tabs.value.active) return;
    batch(() => {
      this.selection.value = NONE;
      this.tabs.value = { ...this.tabs.value, active: id };
    });
  }

  /** The neighbour comes forward; the last tab leaves an empty one. */
  close(id: string): void {
    const { tabs, active } = this.tabs.value;
    const at = tabs.findIndex((t) => t.id === id);
    const rest = tabs.filter((t) => t.id !== id);
    batch(() => {
      this.selection.value = NONE;
      const next = rest[Math.min(at, rest.length - 1)];
      this.tabs.value = next ? { tabs: rest, active: active === id ? next.id : active } : firstTab();
    });
  }

  /** Puts a closed tab back where it was. */
  reopen(tab: Tab, at: number): void {
    const { tabs } = this.tabs.value;
    this.tabs.value = { tabs: [...tabs.slice(0, at), tab, ...tabs.slice(at)], active: tab.id };
  }

  // Subgraphs --------------------------------------------------------------------------------------------------------------------

  /** Ids of the instances entered. */
  get path(): readonly Id[] {
    return this.#path.value;
  }
  enter(id: Id): void {
    batch(() => {
      this.selection.value = NONE;
      this.edit((t) => ({ ...t, path: [...placeOf(t).path, id] }));
    });
  }
  /** To the graph `depth` levels in; 0 is the workflow itself. */
  leave(depth = this.path.length - 1): void {
    if (depth < 0) return;
    const left = this.path[depth];
    batch(() => {
      this.edit((t) => ({ ...t, path: placeOf(t).path.slice(0, depth) }));
      this.selection.value = left === undefined ? NONE : { ...NONE, nodes: [left] };
    });
  }

  get view(): View | undefined {
    return this.tab.value.views[this.path.join(":")];
  }
  /** Not a change worth keeping a step for. */
  setView(view: View): void {
    const key = this.path.join(":");
    this.edit((t) => ({ ...t, views: { ...t.views, [key]: view } }));
  }

  /** The id that a node of the graph in view has in the prompt: `5:2`. */
  promptId(id: Id): string {
    return [...this.path, id].join(":");
  }
}

const NOT_KEPT = "Open tabs can't be kept: the browser refuses to store them. Save what you need.";

function firstTab(): Tabs {
  const tab = openTab(crypto.randomUUID(), "untitled", emptyDocument(crypto.randomUUID()));
  return { tabs: [tab], active: tab.id };
}

function readStored(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return parseJson(text, { maxCharacters: 256 << 20, maxDepth: 200 });
  } catch {
    return { unreadable: true };
  }
}

function unreachable(): never {
  throw new Error("there is always a tab");
}
