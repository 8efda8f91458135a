// The values of a node's widgets by name, whatever form the file keeps them in.
import { isThere } from "../../engine/graph/catalogue.ts";
import { readWidgetList, type WidgetList } from "../../engine/graph/widget-positions.ts";
import type { Doc, DocNode } from "./document.ts";
import { subgraphOf } from "./document.ts";
import type { NodeFace, NodeFaces, WidgetFace } from "./node-face.ts";

export const CONTROLS = ["fixed", "increment", "decrement", "randomize"] as const;
export type Control = (typeof CONTROLS)[number];
const isControl = (value: unknown): value is Control => CONTROLS.some((c) => c === value);

/** One widget of one node as it stands. */
export interface WidgetState {
  readonly face: WidgetFace;
  /** For a promoted widget: its position in the instance's `widgets_values`, or its name when the file keeps them by name. */
  readonly at: number | string;
  readonly value: unknown;
  readonly control: Control | undefined;
  /** Index of the socket that doubles it, and whether a link drives it. */
  readonly input: number;
  readonly linked: boolean;
  /** Neither missing nor left unread, as the other values are. */
  readonly isRead: boolean;
}

/** Every widget a node has, in order. Of a subgraph instance: those its definition promotes. */
export function widgetsOf(doc: Doc, node: DocNode, faces: NodeFaces): readonly WidgetState[] {
  const definition = subgraphOf(doc, node);
  if (definition) return promoted(doc, node, faces);
  const face = faces.get(node.type) ?? (node.type === "PrimitiveNode" ? primitiveFace(doc, node, faces) : undefined);
  if (!face) return [];
  const { named, controls } = readValues(node, face);
  const of = valueAsked(node, face, named);
  return widgetOrder(node, face).map((widget): WidgetState => {
    const input = node.inputs.findIndex((i) => i.widget?.name === widget.name);
    const linked = (node.inputs[input]?.link ?? null) !== null;
    const word = controls.get(widget.name);
    return {
      face: widget,
      at: widget.name,
      value: named.get(widget.name) ?? widget.default,
      control: isControl(word) ? word : widget.control ? "fixed" : undefined,
      input,
      linked,
      isRead: linked || isThere({ when: { ...widget.when, ...widget.readWhen } }, of),
    };
  });
}

/** The widgets that are shown: what the values of others leave unread is not. */
export function shownWidgets(doc: Doc, node: DocNode, faces: NodeFaces): readonly WidgetState[] {
  return widgetsOf(doc, node, faces).filter((w) => w.isRead);
}

/** As the engine reads them: both see the same value behind the same name. */
function readValues(node: DocNode, face: NodeFace): WidgetList {
  const values = node.widgets_values ?? [];
  if (!isList(values)) {
    const word = values.control_after_generate;
    const seed = face.inputs.find((i) => i.kind === "widget" && i.control)?.name;
    return {
      named: new Map(Object.entries(values)),
      controls: seed !== undefined && isControl(word) ? new Map([[seed, word]]) : new Map(),
      used: 0,
    };
  }
  const listed = face.entry ? node.inputs.flatMap((i) => i.widget?.name ?? []) : widgetOrder(node, face).map((w) => w.name);
  return readWidgetList(values, listed, face.entry);
}

/** What a widget's condition is asked of; a value that comes over a link is not known. */
function valueAsked(node: DocNode, face: NodeFace, named: ReadonlyMap<string, unknown>): (name: string) => unknown {
  return (name) => {
    if (node.inputs.some((i) => i.widget?.name === name && i.link !== null)) return undefined;
    const widget = face.inputs.find((i) => i.kind === "widget" && i.name === name);
    return named.get(name) ?? (widget?.kind === "widget" ? widget.default : undefined);
  };
}

/** Widgets in the order of the file's own list, where it has one; those it does not know come after. */
function widgetOrder(node: DocNode, face: NodeFace): readonly WidgetFace[] {
  const declared = face.inputs.filter((i) => i.kind === "widget");
  const listed = node.inputs.flatMap((i) => declared.filter((w) => w.name === i.widget?.name));
  return listed.length === 0 ? declared : [...listed, ...declared.filter((w) => !listed.includes(w))];
}

/** The whole list as the file keeps it, with what no widget explains. undefined when the values are kept by name, or the type is unknown. */
export function listedValues(
  node: DocNode,
  face: NodeFace,
  change?: { readonly name: string; readonly value: unknown; readonly control?: Control },
): unknown[] | undefined {
  const values = node.widgets_values ?? [];
  if (!isList(values)) return undefined;
  const { named, controls, used } = readValues(node, face);
  const words = new Map(controls);
  if (change) {
    named.set(change.name, change.value);
    if (change.control !== undefined) words.set(change.name, change.control);
  }
  const order = widgetOrder(node, face);
  // Widgets that only the file knows (ComfyUI's upload button) keep their places.
  const listed = node.inputs.flatMap((i) => i.widget?.name ?? []);
  const names = [...listed, ...order.flatMap((w) => (listed.includes(w.name) ? [] : [w.name]))];
  const of = valueAsked(node, face, named);
  const written = names.flatMap((name): unknown[] => {
    const widget = order.find((w) => w.name === name);
    if (widget && !isThere(widget, of)) return [];
    const word = words.get(name) ?? (widget?.control ? "fixed" : undefined);
    return [named.get(name) ?? widget?.default ?? null, ...(word === undefined ? [] : [word])];
  });
  return [...written, ...values.slice(used)];
}

/** The node with one value changed. Unknown widgets are left alone. */
export function setWidgetValue(doc: Doc, node: DocNode, faces: NodeFaces, name: string, value: unknown, control?: Control): DocNode {
  const state = widgetsOf(doc, node, faces).find((s) => s.face.name === name);
  if (!state) return node;
  const values = node.widgets_values ?? [];
  if (!isList(values)) {
    const next: Record<string, unknown> = { ...values, [name]: value };
    if (control !== undefined) next.control_after_generate = control;
    return { ...node, widgets_values: next };
  }
  if (subgraphOf(doc, node)) {
    const next = [...values];
    while (next.length <= Number(state.at)) next.push(null);
    next[Number(state.at)] = value;
    return { ...node, widgets_values: next };
  }
  const face = faces.get(node.type) ?? primitiveFace(doc, node, faces);
  const next = face && listedValues(node, face, { name, value, ...(control !== undefined && { control }) });
  return next ? { ...node, widgets_values: next } : node;
}

function isList(values: readonly unknown[] | Readonly<Record<string, unknown>>): values is readonly unknown[] {
  return Array.isArray(values);
}

/** Inner node and widget of each value that an instance shows, in the order of its values; -1 = one of its own inputs. */
export function proxiesOf(node: DocNode): readonly (readonly [string, string])[] {
  const raw = node.properties.proxyWidgets;
  return Array.isArray(raw)
    ? raw.flatMap((p: unknown): [string, string][] => (Array.isArray(p) && typeof p[1] === "string" ? [[String(p[0]), p[1]]] : []))
    : node.inputs.flatMap((i): [string, string][] => (i.widget ? [["-1", i.name]] : []));
}

/** The widgets of inner nodes that an instance shows as its own. */
function promoted(doc: Doc, node: DocNode, faces: NodeFaces): readonly WidgetState[] {
  const definition = subgraphOf(doc, node);
  if (!definition) return [];
  const values = node.widgets_values ?? [];
  return proxiesOf(node).flatMap(([inner, name], at): WidgetState[] => {
    const found = inner === "-1" ? behindInput(doc, definition.id, name, faces) : innerWidget(doc, definition.id, inner, name, faces);
    if (!found) return [];
    const stored = isList(values) ? values[at] : values[name];
    const input = node.inputs.findIndex((i) => i.name === name);
    return [
      {
        face: { ...found.face, name, control: false },
        at: isList(values) ? at : name,
        value: stored ?? found.value,
        control: undefined,
        input,
        linked: (node.inputs[input]?.link ?? null) !== null,
        isRead: true,
      },
    ];
  });
}

function innerWidget(doc: Doc, place: string, id: string, name: string, faces: NodeFaces): WidgetState | undefined {
  const inner = doc.subgraphs.find((s) => s.id === place)?.nodes.find((n) => String(n.id) === id);
  return inner && widgetsOf(doc, inner, faces).find((w) => w.face.name === name);
}

/** The widget that a subgraph's input of this name drives. */
function behindInput(doc: Doc, place: string, name: string, faces: NodeFaces): WidgetState | undefined {
  const graph = doc.subgraphs.find((s) => s.id === place);
  const slot = graph?.inputs.findIndex((i) => i.name === name) ?? -1;
  for (const link of graph?.links ?? []) {
    if (String(link.origin_id) !== "-10" || link.origin_slot !== slot) continue;
    const target = graph?.nodes.find((n) => String(n.id) === String(link.target_id));
    const widget = target?.inputs[link.target_slot]?.widget?.name;
    if (target && widget !== undefined) return innerWidget(doc, place, String(target.id), widget, faces);
  }
  return undefined;
}

/** A PrimitiveNode has the widget of the first input it drives. */
function primitiveFace(doc: Doc, node: DocNode, faces: NodeFaces): NodeFace | undefined {
  for (const graph of [doc, ...doc.subgraphs]) {
    if (!graph.nodes.includes(node)) continue;
    for (const id of node.outputs[0]?.links ?? []) {
      const link = graph.links.find((l) => String(l.id) === String(id));
      const target = link && graph.nodes.find((n) => String(n.id) === String(link.target_id));
      const name = target?.inputs[link?.target_slot ?? -1]?.widget?.name;
      const widget = target && faces.get(target.type)?.inputs.find((i) => i.kind === "widget" && i.name === name);
      if (widget?.kind === "widget")
        return {
          type: "PrimitiveNode",
          category: "canvas",
          summary: "",
          isOutput: false,
          isVirtual: true,
          inputs: [{ ...widget, name: "value" }],
          outputs: [],
        };
    }
  }
  return undefined;
}

/** A value as it is shown. */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(10)));
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Whether the catalogue knows the type or the document defines it. */
export function isKnown(doc: Doc, node: DocNode, faces: NodeFaces): boolean {
  return faces.get(node.type) !== undefined || node.type === "PrimitiveNode" || subgraphOf(doc, node) !== undefined;
}
