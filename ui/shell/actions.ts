// Every command by name: in Ctrl-K, on keys that can be changed, in menus. A component that does something asks for an action here.
import { stringifyJson } from "../../engine/base/json.ts";
import type { Stage } from "../canvas/stage.ts";
import { boundsOf } from "../doc/arrange.ts";
import { writeClip } from "../doc/clipboard.ts";
import type { Command } from "../doc/commands.ts";
import { BYPASSED, type DocNode, type Id, MUTED, nodeById, subgraphOf } from "../doc/document.ts";
import { outerRect, titleOf } from "../doc/node-layout.ts";
import { saveDocument } from "../doc/tabs.ts";
import type { App } from "../state/app.ts";
import { NONE } from "../state/editor.ts";
import { maskSource, paintMask } from "../state/mask-source.ts";
import { prefs, setPrefs } from "../state/prefs.ts";
import { say } from "../state/toasts.ts";

export interface Action {
  readonly id: string;
  readonly title: string;
  readonly group: "Run" | "Edit" | "Select" | "Node" | "View" | "Graph" | "Go" | "Help";
  readonly keys: readonly string[];
  readonly run: () => unknown;
  /** Whether it makes sense now. */
  readonly isEnabled?: () => boolean;
}

/** Set while the canvas is on the page. */
export const stageRef: { current: Stage | undefined } = { current: undefined };
/** Set by the stage view: opens the list of nodes to add. */
export const openers: {
  addNode: () => void;
  connect: () => void;
  title: (id: Id) => void;
  widget: (id: Id, name?: string) => void;
  files: () => void;
} = {
  addNode: () => undefined,
  connect: () => undefined,
  title: () => undefined,
  widget: () => undefined,
  files: () => undefined,
};

export function makeActions(app: App): readonly Action[] {
  const { editor } = app;
  const place = () => editor.place.value;
  const selected = (): readonly Id[] => editor.selection.value.nodes.filter((id) => id !== -10 && id !== -20);
  const nodes = (): readonly DocNode[] => selected().flatMap((id) => nodeById(editor.graph.value, id) ?? []);
  const hasNodes = (): boolean => selected().length > 0;
  const only = (): DocNode | undefined => (selected().length === 1 ? nodes()[0] : undefined);
  const perform = (...commands: Command[]): void => void editor.perform(commands);
  const toggleMode = (mode: number): void =>
    perform({ name: "node.mode", args: { place: place(), ids: selected(), mode: nodes().every((n) => n.mode === mode) ? 0 : mode } });
  const align = (edge: "left" | "right" | "top" | "bottom"): Action => ({
    id: `align.${edge}`,
    title: `Align ${edge === "top" || edge === "bottom" ? `${edge}s` : `${edge} edges`}`,
    group: "Node",
    keys: [],
    run: () => perform({ name: "nodes.align", args: { place: place(), ids: selected(), edge } }),
    isEnabled: () => selected().length > 1,
  });
  const at = (): readonly [number, number] => stageRef.current?.centre ?? [0, 0];
  const panel = (id: "nodes" | "graphs" | "models" | "runs", title: string, key: string): Action => ({
    id: `panel.${id}`,
    title,
    group: "View",
    keys: [key],
    run: () => setPrefs({ rail: prefs.value.rail === id ? null : id }),
  });
  const drawer = (id: "problems" | "queue" | "log", title: string, keys: readonly string[]): Action => ({
    id: `drawer.${id}`,
    title,
    group: "View",
    keys,
    run: () => {
      app.drawer.value = app.drawer.value === id ? null : id;
    },
  });
  const outputsBelow = (): string[] => {
    const wanted = new Set(selected().map(String));
    const open = [...wanted];
    const { links } = editor.graph.value;
    for (let id = open.pop(); id !== undefined; id = open.pop())
      for (const l of links)
        if (String(l.origin_id) === id && !wanted.has(String(l.target_id))) {
          wanted.add(String(l.target_id));
          open.push(String(l.target_id));
        }
    const outputs = editor.graph.value.nodes.filter((n) => editor.faces.get(n.type)?.isOutput);
    const chosen = outputs.filter((n) => selected().some((id) => String(id) === String(n.id)));
    return (chosen.length > 0 ? chosen : outputs.filter((n) => wanted.has(String(n.id)))).map((n) => editor.promptId(n.id));
  };
  const move = (dx: number, dy: number): void =>
    perform({
      name: "items.move",
      args: { place: place(), nodes: nodes().map((n) => ({ id: n.id, to: [n.pos[0] + dx, n.pos[1] + dy] })) },
    });

  return [
    { id: "run", title: "Run", group: "Run", keys: ["Ctrl+Enter"], run: () => app.run() },
    {
      id: "run.front",
      title: "Run before everything that waits",
      group: "Run",
      keys: ["Ctrl+Shift+Enter"],
      run: () => app.run({ front: true }),
    },
    {
      id: "run.selected",
      title: "Run to the selected nodes",
      group: "Run",
      keys: ["Shift+R"],
      run: () => {
        const targets = outputsBelow();
        if (targets.length === 0) say("Nothing below the selection is saved or shown: look at it with Ctrl+Shift+click instead.");
        else return app.run({ targets });
        return undefined;
      },
      isEnabled: hasNodes,
    },
    { id: "run.stop", title: "Stop", group: "Run", keys: ["Ctrl+Alt+Enter"], run: () => app.stop() },
    { id: "run.pause", title: "Pause or go on", group: "Run", keys: ["Ctrl+Alt+P"], run: () => app.pause() },
    { id: "run.cost", title: "Estimate what it costs", group: "Run", keys: ["Ctrl+Alt+D"], run: () => app.estimate() },
    { id: "run.auto", title: "Run after each change", group: "Run", keys: [], run: () => setPrefs({ autoRun: !prefs.value.autoRun }) },

    { id: "edit.undo", title: "Undo", group: "Edit", keys: ["Ctrl+Z"], run: () => editor.undo() },
    { id: "edit.redo", title: "Redo", group: "Edit", keys: ["Ctrl+Y", "Ctrl+Shift+Z"], run: () => editor.redo() },
    {
      id: "edit.copy",
      title: "Copy",
      group: "Edit",
      keys: ["Ctrl+C"],
      run: async () => {
        const clip = editor.copy();
        if (clip) await navigator.clipboard?.writeText(stringifyJson(writeClip(clip))).catch(() => undefined);
      },
      isEnabled: () => hasNodes() || editor.selection.value.groups.length > 0,
    },
    {
      id: "edit.cut",
      title: "Cut",
      group: "Edit",
      keys: ["Ctrl+X"],
      run: () => {
        editor.copy();
        remove(app);
      },
      isEnabled: hasNodes,
    },
    { id: "edit.paste", title: "Paste", group: "Edit", keys: ["Ctrl+V"], run: () => editor.paste(at(), false) },
    { id: "edit.pasteLinked", title: "Paste with links", group: "Edit", keys: ["Ctrl+Shift+V"], run: () => editor.paste(at(), true) },
    {
      id: "edit.duplicate",
      title: "Duplicate",
      group: "Edit",
      keys: ["Ctrl+D"],
      run: () => void editor.add({ name: "nodes.duplicate", args: { place: place(), ids: selected() } }),
      isEnabled: hasNodes,
    },
    { id: "edit.delete", title: "Delete", group: "Edit", keys: ["Delete", "Backspace"], run: () => remove(app) },
    { id: "edit.add", title: "Add a node", group: "Edit", keys: ["A"], run: () => openers.addNode() },
    {
      id: "edit.connect",
      title: "Connect the selected node",
      group: "Edit",
      keys: ["L"],
      run: () => openers.connect(),
      isEnabled: () => only() !== undefined,
    },
    {
      id: "edit.disconnect",
      title: "Cut the links of the selected nodes",
      group: "Edit",
      keys: ["Shift+L"],
      run: () => disconnect(app),
      isEnabled: hasNodes,
    },

    {
      id: "select.all",
      title: "Select all",
      group: "Select",
      keys: ["Ctrl+A"],
      run: () => {
        editor.selection.value = {
          ...NONE,
          nodes: editor.graph.value.nodes.map((n) => n.id),
          groups: editor.graph.value.groups.map((_, i) => i),
        };
      },
    },
    { id: "select.none", title: "Select nothing", group: "Select", keys: ["Escape"], run: () => stepOut(app) },
    { id: "select.next", title: "Next node", group: "Select", keys: ["]"], run: () => step(app, 1) },
    { id: "select.previous", title: "Previous node", group: "Select", keys: ["["], run: () => step(app, -1) },
    { id: "select.left", title: "Node to the left", group: "Select", keys: ["Alt+ArrowLeft"], run: () => towards(app, -1, 0) },
    { id: "select.right", title: "Node to the right", group: "Select", keys: ["Alt+ArrowRight"], run: () => towards(app, 1, 0) },
    { id: "select.up", title: "Node above", group: "Select", keys: ["Alt+ArrowUp"], run: () => towards(app, 0, -1) },
    { id: "select.down", title: "Node below", group: "Select", keys: ["Alt+ArrowDown"], run: () => towards(app, 0, 1) },

    {
      id: "node.edit",
      title: "Edit the selected node",
      group: "Node",
      keys: ["Enter"],
      run: () => edit(app),
      isEnabled: () => only() !== undefined,
    },
    {
      id: "node.rename",
      title: "Rename",
      group: "Node",
      keys: ["F2"],
      run: () => {
        const node = only();
        if (node) openers.title(node.id);
      },
      isEnabled: () => only() !== undefined,
    },
    { id: "node.mute", title: "Mute", group: "Node", keys: ["Ctrl+M"], run: () => toggleMode(MUTED), isEnabled: hasNodes },
    { id: "node.bypass", title: "Bypass", group: "Node", keys: ["Ctrl+B"], run: () => toggleMode(BYPASSED), isEnabled: hasNodes },
    {
      id: "node.collapse",
      title: "Collapse",
      group: "Node",
      keys: ["Alt+C"],
      run: () =>
        perform({
          name: "node.collapse",
          args: { place: place(), ids: selected(), on: !nodes().every((n) => n.flags.collapsed === true) },
        }),
      isEnabled: hasNodes,
    },
    {
      id: "node.pin",
      title: "Pin in place",
      group: "Node",
      keys: ["P"],
      run: () =>
        perform({ name: "node.pin", args: { place: place(), ids: selected(), on: !nodes().every((n) => n.flags.pinned === true) } }),
      isEnabled: hasNodes,
    },
    {
      id: "node.pinResult",
      title: "Pin the result",
      group: "Node",
      keys: ["Shift+P"],
      run: () => {
        for (const id of selected()) app.togglePin(editor.promptId(id));
      },
      isEnabled: hasNodes,
    },
    {
      id: "node.look",
      title: "Look at its output",
      group: "Node",
      keys: ["Shift+O"],
      run: () => {
        const node = only();
        if (node) lookAt(app, node.id);
      },
      isEnabled: () => only() !== undefined,
    },
    {
      id: "node.mask",
      title: "Paint a mask",
      group: "Node",
      keys: [],
      run: () => {
        const node = only();
        if (node) paintMask(app, node);
      },
      isEnabled: () => {
        const node = only();
        return node !== undefined && maskSource(app, node) !== undefined;
      },
    },
    {
      id: "node.group",
      title: "Group",
      group: "Node",
      keys: ["Ctrl+G"],
      run: () => perform({ name: "group.around", args: { place: place(), ids: selected(), title: "Group" } }),
      isEnabled: hasNodes,
    },
    {
      id: "node.subgraph",
      title: "Make a subgraph",
      group: "Node",
      keys: ["Ctrl+Shift+E"],
      run: () =>
        void editor.add({
          name: "subgraph.create",
          args: { place: place(), ids: selected(), name: "Subgraph", uuid: crypto.randomUUID() },
        }),
      isEnabled: hasNodes,
    },
    {
      id: "node.unpack",
      title: "Unpack the subgraph",
      group: "Node",
      keys: ["Ctrl+Shift+U"],
      run: () => {
        for (const n of nodes())
          if (subgraphOf(editor.doc.value, n)) perform({ name: "subgraph.unpack", args: { place: place(), id: n.id } });
      },
      isEnabled: () => nodes().some((n) => subgraphOf(editor.doc.value, n) !== undefined),
    },
    {
      id: "node.publish",
      title: "Publish the subgraph",
      group: "Node",
      keys: [],
      run: () => {
        const node = only();
        if (node) app.dialog.value = { kind: "publish", node: node.id };
      },
      isEnabled: () => {
        const node = only();
        return node !== undefined && subgraphOf(editor.doc.value, node) !== undefined;
      },
    },
    { id: "node.moveLeft", title: "Move left", group: "Node", keys: ["ArrowLeft"], run: () => move(-10, 0), isEnabled: hasNodes },
    { id: "node.moveRight", title: "Move right", group: "Node", keys: ["ArrowRight"], run: () => move(10, 0), isEnabled: hasNodes },
    { id: "node.moveUp", title: "Move up", group: "Node", keys: ["ArrowUp"], run: () => move(0, -10), isEnabled: hasNodes },
    { id: "node.moveDown", title: "Move down", group: "Node", keys: ["ArrowDown"], run: () => move(0, 10), isEnabled: hasNodes },
    {
      id: "node.farLeft",
      title: "Move left by 100",
      group: "Node",
      keys: ["Shift+ArrowLeft"],
      run: () => move(-100, 0),
      isEnabled: hasNodes,
    },
    {
      id: "node.farRight",
      title: "Move right by 100",
      group: "Node",
      keys: ["Shift+ArrowRight"],
      run: () => move(100, 0),
      isEnabled: hasNodes,
    },
    { id: "node.farUp", title: "Move up by 100", group: "Node", keys: ["Shift+ArrowUp"], run: () => move(0, -100), isEnabled: hasNodes },
    {
      id: "node.farDown",
      title: "Move down by 100",
      group: "Node",
      keys: ["Shift+ArrowDown"],
      run: () => move(0, 100),
      isEnabled: hasNodes,
    },
    align("left"),
    align("right"),
    align("top"),
    align("bottom"),
    {
      id: "align.spreadX",
      title: "Distribute across",
      group: "Node",
      keys: [],
      run: () => perform({ name: "nodes.distribute", args: { place: place(), ids: selected(), axis: "x" } }),
      isEnabled: () => selected().length > 2,
    },
    {
      id: "align.spreadY",
      title: "Distribute down",
      group: "Node",
      keys: [],
      run: () => perform({ name: "nodes.distribute", args: { place: place(), ids: selected(), axis: "y" } }),
      isEnabled: () => selected().length > 2,
    },
    {
      id: "graph.arrange",
      title: "Arrange the graph",
      group: "Node",
      keys: [],
      run: () => {
        perform({ name: "nodes.arrange", args: { place: place() } });
        fitView(app);
      },
    },

    { id: "view.fit", title: "Fit the view", group: "View", keys: ["."], run: () => fitView(app) },
    { id: "view.in", title: "Zoom in", group: "View", keys: ["Alt+=", "Alt++"], run: () => stageRef.current?.zoomBy(1.25) },
    { id: "view.out", title: "Zoom out", group: "View", keys: ["Alt+-"], run: () => stageRef.current?.zoomBy(0.8) },
    {
      id: "view.natural",
      title: "Zoom to 100 %",
      group: "View",
      keys: ["Alt+0"],
      run: () => stageRef.current?.zoomBy(1 / (stageRef.current?.view.scale ?? 1)),
    },
    { id: "view.minimap", title: "Minimap", group: "View", keys: ["Alt+M"], run: () => setPrefs({ minimap: !prefs.value.minimap }) },
    {
      id: "view.links",
      title: "Shape of links",
      group: "View",
      keys: [],
      run: () => {
        const order = ["spline", "straight", "hidden"] as const;
        setPrefs({ links: order[(order.indexOf(prefs.value.links) + 1) % 3] ?? "spline" });
      },
    },
    {
      id: "view.snap",
      title: "Snap to grid",
      group: "View",
      keys: [],
      run: () => {
        setPrefs({ snap: !prefs.value.snap });
        say(prefs.value.snap ? "Nodes snap to the grid." : "Nodes move freely.");
      },
    },
    {
      id: "view.lock",
      title: "Lock the canvas",
      group: "View",
      keys: ["Ctrl+Alt+L"],
      run: () => {
        app.isReadOnly.value = !app.isReadOnly.value;
      },
    },
    {
      id: "view.focus",
      title: "Focus on the canvas",
      group: "View",
      keys: ["F"],
      run: () => {
        app.isFocus.value = !app.isFocus.value;
      },
    },
    {
      id: "view.list",
      title: "List of nodes and links",
      group: "View",
      keys: ["Ctrl+Alt+K"],
      run: () => {
        app.isList.value = !app.isList.value;
      },
    },
    {
      id: "view.form",
      title: "Simple form",
      group: "View",
      keys: ["Ctrl+Alt+F"],
      run: () => {
        app.dialog.value = { kind: "form" };
      },
    },
    { id: "view.inspector", title: "Inspector", group: "View", keys: ["I"], run: () => setPrefs({ inspector: !prefs.value.inspector }) },
    {
      id: "view.theme",
      title: "Dark or light",
      group: "View",
      keys: [],
      run: () => setPrefs({ theme: document.documentElement.dataset.theme === "dark" ? "light" : "dark" }),
    },
    panel("nodes", "Nodes", "N"),
    panel("graphs", "Graphs", "W"),
    panel("models", "Models", "M"),
    panel("runs", "Runs", "Q"),
    drawer("problems", "Problems", ["Ctrl+Alt+M"]),
    drawer("queue", "Queue", []),
    drawer("log", "Log", ["Ctrl+`"]),

    { id: "graph.new", title: "New graph", group: "Graph", keys: ["Ctrl+Alt+N"], run: () => editor.newTab() },
    { id: "graph.open", title: "Open a file", group: "Graph", keys: ["Ctrl+O"], run: () => openers.files() },
    {
      id: "graph.gallery",
      title: "Starting points",
      group: "Graph",
      keys: ["Ctrl+Alt+G"],
      run: () => {
        app.dialog.value = { kind: "gallery" };
      },
    },
    { id: "graph.save", title: "Save", group: "Graph", keys: ["Ctrl+S"], run: () => app.save() },
    {
      id: "graph.saveAs",
      title: "Save as",
      group: "Graph",
      keys: ["Ctrl+Shift+S"],
      run: () => {
        app.dialog.value = { kind: "save", tab: editor.tabId.value };
      },
    },
    { id: "graph.export", title: "Export", group: "Graph", keys: [], run: () => exportFile(app, "ui") },
    { id: "graph.exportApi", title: "Export what runs (API format)", group: "Graph", keys: [], run: () => exportFile(app, "api") },
    { id: "graph.close", title: "Close", group: "Graph", keys: ["Ctrl+Alt+W"], run: () => app.closeTab(editor.tabId.value) },
    { id: "graph.nextTab", title: "Next tab", group: "Go", keys: ["Alt+]", "Ctrl+Alt+PageDown"], run: () => turn(app, 1) },
    { id: "graph.previousTab", title: "Previous tab", group: "Go", keys: ["Alt+[", "Ctrl+Alt+PageUp"], run: () => turn(app, -1) },
    {
      id: "graph.leave",
      title: "Leave the subgraph",
      group: "Go",
      keys: ["Ctrl+Shift+ArrowUp"],
      run: () => editor.leave(),
      isEnabled: () => editor.path.length > 0,
    },
    {
      id: "graph.enter",
      title: "Enter the subgraph",
      group: "Go",
      keys: ["Ctrl+Shift+ArrowDown"],
      run: () => {
        const node = only();
        if (node && subgraphOf(editor.doc.value, node)) editor.enter(node.id);
      },
      isEnabled: () => {
        const node = only();
        return node !== undefined && subgraphOf(editor.doc.value, node) !== undefined;
      },
    },
    {
      id: "go.anywhere",
      title: "Go anywhere",
      group: "Go",
      keys: ["Ctrl+K"],
      run: () => {
        app.dialog.value = { kind: "palette" };
      },
    },
    { id: "go.problem", title: "Next problem", group: "Go", keys: ["F8"], run: () => nextProblem(app) },
    {
      id: "graph.refresh",
      title: "Refresh models and files",
      group: "Graph",
      keys: ["R"],
      run: async () => {
        await app.refresh();
        say("Models and files are up to date.");
      },
    },

    {
      id: "help.shortcuts",
      title: "Keyboard shortcuts",
      group: "Help",
      keys: ["?"],
      run: () => {
        app.dialog.value = { kind: "shortcuts" };
      },
    },
    {
      id: "help.settings",
      title: "Settings",
      group: "Help",
      keys: ["Ctrl+,"],
      run: () => {
        app.dialog.value = { kind: "settings" };
      },
    },
  ];
}

/** The keys of an action as the person has them. */
export function keysOf(action: Action): readonly string[] {
  return prefs.value.keys[action.id] ?? action.keys;
}

function remove(app: App): void {
  const { nodes, groups, reroutes } = app.editor.selection.value;
  const ids = nodes.filter((id) => id !== -10 && id !== -20);
  if (ids.length + groups.length + reroutes.length === 0) return;
  if (app.editor.perform([{ name: "items.remove", args: { place: app.editor.place.value, nodes: ids, groups, reroutes } }]))
    say(ids.length === 1 ? "Deleted a node" : ids.length > 1 ? `Deleted ${ids.length} nodes` : "Deleted", {
      label: "Undo",
      run: () => app.editor.undo(),
    });
}

function disconnect(app: App): void {
  const ids = new Set(app.editor.selection.value.nodes.map(String));
  const links = app.editor.graph.value.links.filter((l) => ids.has(String(l.origin_id)) || ids.has(String(l.target_id)));
  app.editor.perform([{ name: "link.remove", args: { place: app.editor.place.value, ids: links.map((l) => l.id) } }]);
}

function stepOut(app: App): void {
  if (app.isFocus.value) app.isFocus.value = false;
  else if (
    app.editor.selection.value.nodes.length + app.editor.selection.value.groups.length + app.editor.selection.value.reroutes.length >
    0
  )
    app.editor.selection.value = NONE;
  else app.editor.leave();
}

/** Reading order: columns from left to right, each from top to bottom. */
export function readingOrder(nodes: readonly DocNode[]): DocNode[] {
  return [...nodes].sort((a, b) => Math.round(a.pos[0] / 200) - Math.round(b.pos[0] / 200) || a.pos[1] - b.pos[1] || a.pos[0] - b.pos[0]);
}

function step(app: App, by: 1 | -1): void {
  const order = readingOrder(app.editor.graph.value.nodes);
  if (order.length === 0) return;
  const current = order.findIndex((n) => String(n.id) === String(app.editor.selection.value.nodes[0]));
  const next = order[(current + by + order.length) % order.length] ?? order[0];
  if (next) select(app, next);
}

/** The nearest node that lies in a direction; sideways distance counts double. */
function towards(app: App, dx: number, dy: number): void {
  const { nodes } = app.editor.graph.value;
  const from = nodes.find((n) => String(n.id) === String(app.editor.selection.value.nodes[0])) ?? readingOrder(nodes)[0];
  if (!from) return;
  const centre = (n: DocNode): readonly [number, number] => {
    const [x, y, w, h] = outerRect(n);
    return [x + w / 2, y + h / 2];
  };
  const [fx, fy] = centre(from);
  let best: { readonly node: DocNode; readonly cost: number } | undefined;
  for (const node of nodes) {
    if (node === from) continue;
    const [x, y] = centre(node);
    const along = (x - fx) * dx + (y - fy) * dy;
    const aside = Math.abs((x - fx) * dy) + Math.abs((y - fy) * dx);
    if (along <= 20 || aside > along * 3) continue;
    const cost = along + aside * 2;
    if (!best || cost < best.cost) best = { node, cost };
  }
  if (best) select(app, best.node);
  else select(app, from);
}

function select(app: App, node: DocNode): void {
  app.editor.selection.value = { ...NONE, nodes: [node.id] };
  app.reveal(node.id);
}

function edit(app: App): void {
  const id = app.editor.selection.value.nodes[0];
  const node = id === undefined ? undefined : nodeById(app.editor.graph.value, id);
  if (!node) return;
  if (subgraphOf(app.editor.doc.value, node)) app.editor.enter(node.id);
  else openers.widget(node.id);
}

export function fitView(app: App): void {
  const { graph, selection } = app.editor;
  const chosen = selection.value.nodes.flatMap((id) => nodeById(graph.value, id) ?? []);
  const bounds = boundsOf(chosen.length > 1 ? chosen : graph.value.nodes);
  if (bounds) stageRef.current?.fitTo(bounds);
}

function turn(app: App, by: 1 | -1): void {
  const { tabs, active } = app.editor.tabs.value;
  const next = tabs[(tabs.findIndex((t) => t.id === active) + by + tabs.length) % tabs.length];
  if (next) app.editor.activate(next.id);
}

let lastProblem = -1;
function nextProblem(app: App): void {
  const problems = app.problems.value.filter((p) => p.node !== undefined);
  if (problems.length === 0) {
    say("There are no problems.");
    return;
  }
  lastProblem = (lastProblem + 1) % problems.length;
  const problem = problems[lastProblem];
  if (problem?.node !== undefined) app.goTo(problem.node);
  app.drawer.value = "problems";
}

/** Adds a node that shows the first output, and runs to it. */
export function lookAt(app: App, id: Id): void {
  const { editor } = app;
  const node = nodeById(editor.graph.value, id);
  const output = node?.outputs[0];
  if (!node || !output) {
    say("This node has no output to look at.");
    return;
  }
  const shows = ["PreviewImage", "PreviewAny"];
  const existing = editor.graph.value.links.find(
    (l) => String(l.origin_id) === String(id) && shows.includes(nodeById(editor.graph.value, l.target_id)?.type ?? ""),
  );
  let target = existing?.target_id;
  if (target === undefined) {
    const type = output.type === "IMAGE" ? "PreviewImage" : "PreviewAny";
    [target] = editor.add(
      {
        name: "node.add",
        args: { place: editor.place.value, type, pos: [node.pos[0] + node.size[0] + 60, node.pos[1]], from: { node: id, slot: 0 } },
      },
      `Look at ${titleOf(editor.doc.value, node)}`,
    );
  }
  if (target !== undefined) void app.run({ targets: [editor.promptId(target)] });
}

export function download(name: string, text: string, type = "application/json"): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function exportFile(app: App, format: "ui" | "api"): void {
  const tab = app.editor.tab.value;
  if (format === "ui") download(`${tab.name}.json`, stringifyJson(saveDocument(tab), 2));
  else if (app.check.value.prompt) download(`${tab.name}-api.json`, stringifyJson(app.check.value.prompt, 2));
  else say("There is nothing to run in this graph yet.");
}
