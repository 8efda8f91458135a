// Every change a person can make to a document, by name. Each is pure: document in, document out; one that changes nothing returns the same object.

import { arrangeGraph } from "./arrange.ts";
import type { Clip } from "./clipboard.ts";
import { copyNodes, pasteClip } from "./clipboard.ts";
import {
  type Doc,
  type DocGroup,
  type DocNode,
  graphAt,
  type Id,
  INPUT_NODE,
  isSubgraph,
  nodeById,
  OUTPUT_NODE,
  type Place,
  type Point,
  type Rect,
  sameId,
  withGraph,
} from "./document.ts";
import { addReroute, bestPair, connect, type End, nextNodeId, removeLinks, removeReroutes } from "./links.ts";
import { newNode } from "./new-node.ts";
import type { NodeFaces } from "./node-face.ts";
import { layoutNode, outerRect } from "./node-layout.ts";
import { convertToSubgraph, promoteWidget, unpackSubgraph } from "./subgraphs.ts";
import { type Control, setWidgetValue } from "./widgets.ts";

export interface Moved<T> {
  readonly id: Id;
  readonly to: T;
}

/** Names and arguments. `place` says which graph. */
export interface CommandArguments {
  "node.add": {
    readonly place: Place;
    readonly type: string;
    readonly pos: Point;
    readonly values?: Readonly<Record<string, unknown>>;
    readonly from?: End;
    readonly to?: End;
  };
  "items.remove": {
    readonly place: Place;
    readonly nodes: readonly Id[];
    readonly groups?: readonly number[];
    readonly reroutes?: readonly Id[];
  };
  "items.move": {
    readonly place: Place;
    readonly nodes?: readonly Moved<Point>[];
    readonly groups?: readonly { readonly index: number; readonly to: Rect }[];
    readonly reroutes?: readonly Moved<Point>[];
  };
  /** Copies in place, a little aside; links among the copied are copied, links from outside too. */
  "nodes.duplicate": { readonly place: Place; readonly ids: readonly Id[] };
  "node.resize": { readonly place: Place; readonly id: Id; readonly pos: Point; readonly size: Point };
  "node.rename": { readonly place: Place; readonly id: Id; readonly title: string };
  "node.mode": { readonly place: Place; readonly ids: readonly Id[]; readonly mode: number };
  "node.collapse": { readonly place: Place; readonly ids: readonly Id[]; readonly on: boolean };
  "node.pin": { readonly place: Place; readonly ids: readonly Id[]; readonly on: boolean };
  "node.color": { readonly place: Place; readonly ids: readonly Id[]; readonly color: string | undefined };
  "widget.set": { readonly place: Place; readonly id: Id; readonly name: string; readonly value: unknown };
  "widget.control": { readonly place: Place; readonly id: Id; readonly name: string; readonly control: Control; readonly value: unknown };
  "widgets.set": { readonly place: Place; readonly values: readonly { readonly id: Id; readonly name: string; readonly value: unknown }[] };
  "link.connect": { readonly place: Place; readonly from: End; readonly to: End; readonly after?: Id };
  "link.best": { readonly place: Place; readonly from: Id; readonly to: Id };
  "link.remove": { readonly place: Place; readonly ids: readonly Id[] };
  "reroute.add": { readonly place: Place; readonly link: Id; readonly pos: Point };
  "group.add": { readonly place: Place; readonly bounding: Rect; readonly title: string; readonly color?: string };
  "group.around": { readonly place: Place; readonly ids: readonly Id[]; readonly title: string };
  "group.edit": { readonly place: Place; readonly index: number; readonly change: Partial<Pick<DocGroup, "title" | "color" | "bounding">> };
  "group.fit": { readonly place: Place; readonly index: number; readonly ids: readonly Id[] };
  "clip.paste": { readonly place: Place; readonly clip: Clip; readonly pos: Point; readonly withLinks?: boolean };
  "subgraph.create": { readonly place: Place; readonly ids: readonly Id[]; readonly name: string; readonly uuid: string };
  "subgraph.unpack": { readonly place: Place; readonly id: Id };
  /** Shows a widget of an inner node on every instance of the subgraph `place`, or no longer. */
  "widget.promote": { readonly place: string; readonly id: Id; readonly name: string; readonly on: boolean };
  "subgraph.rename": { readonly id: string; readonly name: string };
  "nodes.align": { readonly place: Place; readonly ids: readonly Id[]; readonly edge: "left" | "right" | "top" | "bottom" };
  "nodes.distribute": { readonly place: Place; readonly ids: readonly Id[]; readonly axis: "x" | "y" };
  "nodes.arrange": { readonly place: Place };
  "form.set": { readonly fields: readonly FormField[] };
  "document.set": { readonly doc: Doc };
}

/** A widget shown in the simple form. */
export interface FormField {
  readonly node: string;
  readonly widget: string;
}

export type CommandName = keyof CommandArguments;
export type Command = { readonly [N in CommandName]: { readonly name: N; readonly args: CommandArguments[N] } }[CommandName];

type Appliers = { readonly [N in CommandName]: (doc: Doc, args: CommandArguments[N], faces: NodeFaces) => Doc };

const apply: Appliers = {
  "node.add": (doc, { place, type, pos, values, from, to }, faces) => {
    const graph = graphAt(doc, place);
    const id = nextNodeId(graph);
    const node = newNode(doc, faces, id, type, pos, values);
    const added = withGraph(doc, place, { nodes: [...graph.nodes, node] });
    if (from) {
      const slot = node.inputs.findIndex((_, i) => canJoin(added, place, faces, from, { node: id, slot: i }));
      return slot < 0 ? added : connect(added, place, faces, from, { node: id, slot });
    }
    if (to) {
      const slot = node.outputs.findIndex((_, i) => canJoin(added, place, faces, { node: id, slot: i }, to));
      return slot < 0 ? added : connect(added, place, faces, { node: id, slot }, to);
    }
    return added;
  },
  "items.remove": (doc, { place, nodes, groups = [], reroutes = [] }) => {
    const graph = graphAt(doc, place);
    const ids = new Set(nodes.map(String));
    const links = graph.links.filter((l) => ids.has(String(l.origin_id)) || ids.has(String(l.target_id))).map((l) => l.id);
    const cut = removeReroutes(removeLinks(doc, place, links), place, reroutes);
    const now = graphAt(cut, place);
    const kept = now.nodes.filter((n) => !ids.has(String(n.id)));
    const keptGroups = now.groups.filter((_, i) => !groups.includes(i));
    if (kept.length === now.nodes.length && keptGroups.length === now.groups.length) return cut;
    return dropUnused(withGraph(cut, place, { nodes: kept, groups: keptGroups }), doc);
  },
  "items.move": (doc, { place, nodes = [], groups = [], reroutes = [] }) => {
    const graph = graphAt(doc, place);
    const to = new Map(nodes.map((m) => [String(m.id), m.to]));
    const bends = new Map(reroutes.map((m) => [String(m.id), m.to]));
    const rects = new Map(groups.map((g) => [g.index, g.to]));
    const border = (id: number, [x, y, w, h]: Rect): Rect => {
      const at = to.get(String(id));
      return at ? [at[0], at[1], w, h] : [x, y, w, h];
    };
    return withGraph(doc, place, {
      ...(isSubgraph(graph) && { inputNode: border(INPUT_NODE, graph.inputNode), outputNode: border(OUTPUT_NODE, graph.outputNode) }),
      nodes: to.size === 0 ? graph.nodes : graph.nodes.map((n) => moved(n, to.get(String(n.id)))),
      groups: rects.size === 0 ? graph.groups : graph.groups.map((g, i) => ({ ...g, bounding: rects.get(i) ?? g.bounding })),
      reroutes: bends.size === 0 ? graph.reroutes : graph.reroutes.map((r) => ({ ...r, pos: bends.get(String(r.id)) ?? r.pos })),
    });
  },
  "nodes.duplicate": (doc, { place, ids }, faces) => {
    const clip = copyNodes(doc, place, ids);
    const x = Math.min(...clip.nodes.map((n) => n.pos[0]));
    const y = Math.min(...clip.nodes.map((n) => n.pos[1]));
    return clip.nodes.length === 0 ? doc : pasteClip(doc, place, faces, clip, [x + 20, y + 20], true);
  },
  "node.resize": (doc, { place, id, pos, size }) => editNode(doc, place, id, (n) => ({ ...n, pos, size })),
  "node.rename": (doc, { place, id, title }) =>
    editNode(doc, place, id, (n) => {
      if (title.trim() !== "") return n.title === title ? n : { ...n, title };
      const { title: _, ...rest } = n;
      return rest as DocNode;
    }),
  "node.mode": (doc, { place, ids, mode }) => editNodes(doc, place, ids, (n) => (n.mode === mode ? n : { ...n, mode })),
  "node.collapse": (doc, { place, ids, on }) => editNodes(doc, place, ids, (n) => flagged(n, "collapsed", on)),
  "node.pin": (doc, { place, ids, on }) => editNodes(doc, place, ids, (n) => flagged(n, "pinned", on)),
  "node.color": (doc, { place, ids, color }) =>
    editNodes(doc, place, ids, (n) => {
      const { color: _, bgcolor: __, ...rest } = n;
      return (color === undefined ? rest : { ...rest, color, bgcolor: color }) as DocNode;
    }),
  "widget.set": (doc, { place, id, name, value }, faces) =>
    editNode(doc, place, id, (n) => fitted(doc, n, setWidgetValue(doc, n, faces, name, value), faces)),
  "widget.control": (doc, { place, id, name, control, value }, faces) =>
    editNode(doc, place, id, (n) => setWidgetValue(doc, n, faces, name, value, control)),
  "widgets.set": (doc, { place, values }, faces) =>
    values.reduce((d, v) => editNode(d, place, v.id, (n) => fitted(d, n, setWidgetValue(d, n, faces, v.name, v.value), faces)), doc),
  "link.connect": (doc, { place, from, to, after }, faces) => connect(doc, place, faces, from, to, after),
  "link.best": (doc, { place, from, to }, faces) => {
    const pair = bestPair(graphAt(doc, place), from, to, faces) ?? bestPair(graphAt(doc, place), to, from, faces);
    return pair ? connect(doc, place, faces, pair.from, pair.to) : doc;
  },
  "link.remove": (doc, { place, ids }) => removeLinks(doc, place, ids),
  "reroute.add": (doc, { place, link, pos }) => addReroute(doc, place, link, pos),
  "group.add": (doc, { place, bounding, title, color }) =>
    withGraph(doc, place, {
      groups: [...graphAt(doc, place).groups, { title, bounding, ...(color !== undefined && { color }), font_size: 24, flags: {} }],
    }),
  "group.around": (doc, { place, ids, title }) => {
    const nodes = ids.flatMap((id) => nodeById(graphAt(doc, place), id) ?? []);
    if (nodes.length === 0) return doc;
    return apply["group.add"](doc, { place, title, bounding: groupRect(nodes) }, NO_FACES);
  },
  "group.edit": (doc, { place, index, change }) =>
    withGraph(doc, place, { groups: graphAt(doc, place).groups.map((g, i) => (i === index ? { ...g, ...change } : g)) }),
  "group.fit": (doc, { place, index, ids }, faces) => {
    const nodes = ids.flatMap((id) => nodeById(graphAt(doc, place), id) ?? []);
    return nodes.length === 0 ? doc : apply["group.edit"](doc, { place, index, change: { bounding: groupRect(nodes) } }, faces);
  },
  "clip.paste": (doc, { place, clip, pos, withLinks }, faces) => pasteClip(doc, place, faces, clip, pos, withLinks ?? false),
  "subgraph.create": (doc, { place, ids, name, uuid }, faces) => convertToSubgraph(doc, place, faces, ids, name, uuid),
  "subgraph.unpack": (doc, { place, id }, faces) => dropUnused(unpackSubgraph(doc, place, faces, id), doc),
  "widget.promote": (doc, { place, id, name, on }, faces) => promoteWidget(doc, place, id, name, on, faces),
  "subgraph.rename": (doc, { id, name }) => ({ ...doc, subgraphs: doc.subgraphs.map((s) => (s.id === id ? { ...s, name } : s)) }),
  "nodes.align": (doc, { place, ids, edge }) => {
    const nodes = ids.flatMap((id) => nodeById(graphAt(doc, place), id) ?? []);
    if (nodes.length < 2) return doc;
    const x = edge === "left" || edge === "right" ? 0 : 1;
    const far = edge === "right" || edge === "bottom";
    const edges = nodes.map((n) => n.pos[x] + (far ? n.size[x] : 0));
    const goal = far ? Math.max(...edges) : Math.min(...edges);
    return apply["items.move"](
      doc,
      { place, nodes: nodes.map((n) => ({ id: n.id, to: along(n.pos, x, far ? goal - n.size[x] : goal) })) },
      NO_FACES,
    );
  },
  "nodes.distribute": (doc, { place, ids, axis }) => {
    const at = axis === "x" ? 0 : 1;
    const nodes = ids.flatMap((id) => nodeById(graphAt(doc, place), id) ?? []).sort((a, b) => a.pos[at] - b.pos[at]);
    const first = nodes[0];
    const last = nodes.at(-1);
    if (!first || !last || nodes.length < 3) return doc;
    const gaps = last.pos[at] + last.size[at] - first.pos[at] - nodes.reduce((s, n) => s + n.size[at], 0);
    let next = first.pos[at];
    const to = nodes.map((n) => {
      const move = { id: n.id, to: along(n.pos, at, next) };
      next += n.size[at] + gaps / (nodes.length - 1);
      return move;
    });
    return apply["items.move"](doc, { place, nodes: to }, NO_FACES);
  },
  "nodes.arrange": (doc, { place }, faces) => arrangeGraph(doc, place, faces),
  "form.set": (doc, { fields }) => {
    const { extra } = doc.source;
    const before = typeof extra === "object" && extra !== null ? extra : {};
    return { ...doc, source: { ...doc.source, extra: { ...before, whos_who: { form: fields } } } };
  },
  "document.set": (_, { doc }) => doc,
};

const NO_FACES: NodeFaces = { get: () => undefined, all: () => [] };

/** @throws RangeError when the command does not apply (a link that does not fit, a place that is gone) */
export function applyCommand(doc: Doc, command: Command, faces: NodeFaces): Doc {
  const run = apply[command.name] as (doc: Doc, args: Command["args"], faces: NodeFaces) => Doc;
  return run(doc, command.args, faces);
}

export const COMMAND_NAMES = Object.keys(apply) as readonly CommandName[];

/** What was done, in words for the undo entry and the toast. */
export function describeCommand(command: Command): string {
  const n = (count: number, one: string): string => (count === 1 ? one : `${count} ${one}s`);
  switch (command.name) {
    case "node.add":
      return `Add ${command.args.type}`;
    case "items.remove":
      return `Delete ${n(command.args.nodes.length || (command.args.groups?.length ?? 0) || (command.args.reroutes?.length ?? 0), command.args.nodes.length > 0 ? "node" : command.args.groups?.length ? "group" : "reroute")}`;
    case "items.move":
      return "Move";
    case "nodes.duplicate":
      return "Duplicate";
    case "node.resize":
      return "Resize";
    case "node.rename":
    case "subgraph.rename":
      return "Rename";
    case "node.mode":
      return command.args.mode === 2 ? "Mute" : command.args.mode === 4 ? "Bypass" : "Enable";
    case "node.collapse":
      return command.args.on ? "Collapse" : "Expand";
    case "node.pin":
      return command.args.on ? "Pin" : "Unpin";
    case "node.color":
      return "Colour";
    case "widget.set":
    case "widget.control":
      return `Set ${command.args.name}`;
    case "widgets.set":
      return "Set values";
    case "link.connect":
    case "link.best":
      return "Connect";
    case "link.remove":
      return `Cut ${n(command.args.ids.length, "link")}`;
    case "reroute.add":
      return "Reroute";
    case "group.add":
    case "group.around":
      return "Group";
    case "group.fit":
    case "group.edit":
      return "Edit group";
    case "clip.paste":
      return `Paste ${n(command.args.clip.nodes.length, "node")}`;
    case "subgraph.create":
      return "Make subgraph";
    case "subgraph.unpack":
      return "Unpack subgraph";
    case "widget.promote":
      return command.args.on ? `Show ${command.args.name} on the subgraph` : `Take ${command.args.name} off the subgraph`;
    case "nodes.align":
      return "Align";
    case "nodes.distribute":
      return "Distribute";
    case "nodes.arrange":
      return "Arrange";
    case "form.set":
      return "Edit form";
    case "document.set":
      return "Replace";
  }
}

/** Commands with the same key right after each other are one step of undo. */
export function mergeKey(command: Command): string | undefined {
  if (command.name === "widget.set") return `widget ${command.args.place} ${command.args.id} ${command.args.name}`;
  if (command.name === "items.move") return `move ${command.args.place} ${(command.args.nodes ?? []).map((m) => m.id).join()}`;
  return undefined;
}

function canJoin(doc: Doc, place: Place, faces: NodeFaces, from: End, to: End): boolean {
  try {
    connect(doc, place, faces, from, to);
    return true;
  } catch {
    return false;
  }
}

function editNode(doc: Doc, place: Place, id: Id, edit: (node: DocNode) => DocNode): Doc {
  return editNodes(doc, place, [id], edit);
}

function editNodes(doc: Doc, place: Place, ids: readonly Id[], edit: (node: DocNode) => DocNode): Doc {
  const graph = graphAt(doc, place);
  let changed = false;
  const nodes = graph.nodes.map((n) => {
    if (!ids.some((id) => sameId(id, n.id))) return n;
    const next = edit(n);
    changed ||= next !== n;
    return next;
  });
  return changed ? withGraph(doc, place, { nodes }) : doc;
}

function moved(node: DocNode, to: Point | undefined): DocNode {
  return to ? { ...node, pos: to } : node;
}

/** A value that shows other widgets than before makes its node taller or shorter by as much. */
function fitted(doc: Doc, before: DocNode, after: DocNode, faces: NodeFaces): DocNode {
  if (!faces.get(after.type)?.inputs.some((i) => i.kind === "widget" && (i.when || i.readWhen))) return after;
  const height = (n: DocNode): number => layoutNode(doc, n, faces).min[1];
  const [old, least] = [height(before), height(after)];
  return old === least ? after : { ...after, size: [after.size[0], Math.max(least, after.size[1] + least - old)] };
}

function flagged(node: DocNode, flag: string, on: boolean): DocNode {
  if ((node.flags[flag] === true) === on) return node;
  const { [flag]: _, ...rest } = node.flags;
  return { ...node, flags: on ? { ...rest, [flag]: true } : rest };
}

function along(pos: Point, axis: 0 | 1, value: number): Point {
  return axis === 0 ? [value, pos[1]] : [pos[0], value];
}

/** The frame of a group around nodes. */
export function groupRect(nodes: readonly DocNode[]): Rect {
  const rects = nodes.map(outerRect);
  const x0 = Math.min(...rects.map((r) => r[0])) - 20;
  const y0 = Math.min(...rects.map((r) => r[1])) - 54;
  return [x0, y0, Math.max(...rects.map((r) => r[0] + r[2])) + 20 - x0, Math.max(...rects.map((r) => r[1] + r[3])) + 20 - y0];
}

/** Definitions nobody uses any more go with their last instance; those that were unused before stay. */
function dropUnused(doc: Doc, before: Doc): Doc {
  const used = (d: Doc): Set<string> => new Set([d, ...d.subgraphs].flatMap((g) => g.nodes.map((n) => n.type)));
  const was = used(before);
  const is = used(doc);
  const subgraphs = doc.subgraphs.filter((s) => is.has(s.id) || !was.has(s.id));
  return subgraphs.length === doc.subgraphs.length ? doc : dropUnused({ ...doc, subgraphs }, doc);
}
