// The values of a node's widgets by name, whatever form the file keeps them in.
import type { Doc, DocNode } from "./document.ts";
import { subgraphOf } from "./document.ts";
import type { NodeFace, NodeFaces, WidgetFace } from "./node-face.ts";

export const CONTROLS = ["fixed", "increment", "decrement", "randomize"] as const;
export type Control = (typeof CONTROLS)[number];
const isControl = (value: unknown): value is Control => CONTROLS.some((c) => c === value);

/** One widget of one node as it stands. */
export interface WidgetState {
  readonly face: WidgetFace;
  /** Position in `widgets_values`; the name, when the file keeps them by name. */
  readonly at: number | string;
  readonly value: unknown;
  readonly control: Control | undefined;
  /** Index of the socket that doubles it, and whether a link drives it. */
  readonly input: number;
  readonly linked: boolean;
}

/** Widgets a node shows, in order. Of a subgraph instance: those its definition promotes. */
export function widgetsOf(doc: Doc, node: DocNode, faces: NodeFaces): readonly WidgetState[] {
  const definition = subgraphOf(doc, node);
  if (definition) return promoted(doc, node, faces);
  const face = faces.get(node.type) ?? (node.type === "PrimitiveNode" ? primitiveFace(doc, node, faces) : undefined);
  if (!face) return [];
  const values = node.widgets_values ?? [];
  const order = widgetOrder(node, face);
  const states: WidgetState[] = [];
  let at = 0;
  for (const widget of order) {
    const input = node.inputs.findIndex((i) => i.widget?.name === widget.name);
    const linked = (node.inputs[input]?.link ?? null) !== null;
    if (!isList(values)) {
      const control = values.control_after_generate;
      states.push({
        face: widget,
        at: widget.name,
        value: widget.name in values ? values[widget.name] : widget.default,
        control: widget.control ? (isControl(control) ? control : "fixed") : undefined,
        input,
        linked,
      });
      continue;
    }
    const value = at < values.length ? values[at] : undefined;
    const next = values[at + 1];
    const hasControl = isControl(next) && (widget.control || (typeof value === "number" && !followedByChoice(order, widget, next)));
    states.push({
      face: widget,
      at,
      value: value ?? widget.default,
      control: hasControl ? next : widget.control ? "fixed" : undefined,
      input,
      linked,
    });
    at += hasControl ? 2 : 1;
  }
  return states;
}

function followedByChoice(order: readonly WidgetFace[], widget: WidgetFace, word: unknown): boolean {
  return order[order.indexOf(widget) + 1]?.options?.some((o) => o === word) ?? false;
}

/** Widgets in the order of the file's own list, where it has one; those it does not know come after. */
export function widgetOrder(node: DocNode, face: NodeFace): readonly WidgetFace[] {
  const declared = face.inputs.filter((i) => i.kind === "widget");
  const listed = node.inputs.flatMap((i) => declared.filter((w) => w.name === i.widget?.name));
  return listed.length === 0 ? declared : [...listed, ...declared.filter((w) => !listed.includes(w))];
}

/** The node with one value changed. Unknown widgets are left alone. */
export function setWidgetValue(doc: Doc, node: DocNode, faces: NodeFaces, name: string, value: unknown, control?: Control): DocNode {
  const states = widgetsOf(doc, node, faces);
  const state = states.find((s) => s.face.name === name);
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
  const known = states.flatMap((s) => {
    const own = s === state;
    const word = own && control !== undefined ? control : s.control;
    return [own ? value : (s.value ?? null), ...(word === undefined ? [] : [word])];
  });
  const read = states.reduce(
    (n, s) => Math.max(n, Number(s.at) + (isControl(values[Number(s.at) + 1]) && s.control !== undefined ? 2 : 1)),
    0,
  );
  return { ...node, widgets_values: [...known, ...values.slice(read)] };
}

function isList(values: readonly unknown[] | Readonly<Record<string, unknown>>): values is readonly unknown[] {
  return Array.isArray(values);
}

/** The widgets of inner nodes that an instance shows as its own. */
function promoted(doc: Doc, node: DocNode, faces: NodeFaces): readonly WidgetState[] {
  const definition = subgraphOf(doc, node);
  if (!definition) return [];
  const raw = node.properties.proxyWidgets;
  const own = node.inputs.flatMap((i): [string, string][] => (i.widget ? [["-1", i.name]] : []));
  const proxies: readonly (readonly [string, string])[] = Array.isArray(raw)
    ? raw.flatMap((p: unknown): [string, string][] => (Array.isArray(p) && typeof p[1] === "string" ? [[String(p[0]), p[1]]] : []))
    : own;
  const values = node.widgets_values ?? [];
  return proxies.flatMap(([inner, name], at): WidgetState[] => {
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
