// Brings the nodes of a document up to their declarations: every socket, every widget, in an order that reads back the same.
import type { Doc, DocGraph, DocInput, DocNode } from "./document.ts";
import type { NodeFace, NodeFaces } from "./node-face.ts";
import { naturalSize } from "./node-layout.ts";
import { listedValues } from "./widgets.ts";

/** Adds what is missing and removes nothing. Settling twice changes nothing. Unknown nodes stay as they are. */
export function settleDocument(doc: Doc, faces: NodeFaces): Doc {
  const settle = <G extends DocGraph>(graph: G): G => {
    let changed = false;
    const nodes = graph.nodes.map((n) => {
      const next = settleNode(doc, n, faces);
      changed ||= next !== n;
      return next;
    });
    return changed ? { ...graph, nodes } : graph;
  };
  const root = settle(doc);
  return { ...root, subgraphs: doc.subgraphs.map(settle) };
}

export function settleNode(doc: Doc, node: DocNode, faces: NodeFaces): DocNode {
  const face = faces.get(node.type);
  const sized = node.size[0] > 0 && node.size[1] > 0 ? node : { ...node, size: naturalSize(doc, node, faces) };
  if (!face) return sized;
  const inputs = growVariadic(face, [...sized.inputs, ...missingInputs(face, sized)]);
  const outputs = [...sized.outputs, ...face.outputs.slice(sized.outputs.length).map((o) => ({ name: o.name, type: o.type, links: null }))];
  const whole = { ...sized, inputs, outputs };
  const same = inputs.length === sized.inputs.length && outputs.length === sized.outputs.length;
  // Only a list that is too short has to be written out: the rest reads back as it is.
  const given = sized.widgets_values ?? [];
  const written = listedValues(sized, face);
  if (!written || (Array.isArray(given) && given.length >= written.length)) return same ? sized : whole;
  return { ...whole, widgets_values: written };
}

function missingInputs(face: NodeFace, node: DocNode): DocInput[] {
  const has = new Set(node.inputs.map((i) => i.name));
  const sockets = face.inputs.flatMap((i): DocInput[] =>
    i.kind === "socket" && !has.has(i.name) ? [{ name: i.name, type: i.type, link: null, ...(i.optional && { shape: 7 }) }] : [],
  );
  if (face.isVirtual) return sockets;
  const widgets = face.inputs.flatMap((i): DocInput[] =>
    i.kind === "widget" && !has.has(i.name) ? [{ name: i.name, type: i.type, link: null, widget: { name: i.name } }] : [],
  );
  return [...sockets, ...widgets];
}

/** A variadic node always has one free socket more. */
export function growVariadic(face: NodeFace, inputs: readonly DocInput[]): readonly DocInput[] {
  const { variadic } = face;
  if (!variadic) return inputs;
  const numbered = inputs.flatMap((i) => {
    const number = i.name.startsWith(variadic.prefix) ? Number(i.name.slice(variadic.prefix.length)) : Number.NaN;
    return Number.isInteger(number) && !i.widget ? [{ number, free: i.link === null }] : [];
  });
  if (numbered.some((n) => n.free)) return inputs;
  const next = numbered.reduce((m, n) => Math.max(m, n.number), 0) + 1;
  return [...inputs, { name: `${variadic.prefix}${next}`, type: variadic.type, link: null, shape: 7 }];
}
