import type { Doc, DocNode, Id, Point } from "./document.ts";
import type { NodeFaces } from "./node-face.ts";
import { naturalSize } from "./node-layout.ts";
import { settleNode } from "./settle.ts";
import { setWidgetValue } from "./widgets.ts";

/** A node as the palette adds it: every socket, every widget at its default. A subgraph's id makes an instance of it. */
export function newNode(
  doc: Doc,
  faces: NodeFaces,
  id: Id,
  type: string,
  pos: Point,
  values: Readonly<Record<string, unknown>> = {},
): DocNode {
  const definition = doc.subgraphs.find((s) => s.id === type);
  const bare: DocNode = {
    id,
    type,
    pos,
    size: [0, 0],
    flags: {},
    order: 0,
    mode: 0,
    inputs: (definition?.inputs ?? []).map((i) => ({ name: i.name, type: i.type, link: null })),
    outputs: (definition?.outputs ?? []).map((o) => ({ name: o.name, type: o.type, links: null })),
    properties: definition ? {} : { "Node name for S&R": type },
    ...(definition ? { title: definition.name } : {}),
    widgets_values: [],
  };
  let node = settleNode(doc, bare, faces);
  for (const [name, value] of Object.entries(values)) node = setWidgetValue(doc, node, faces, name, value);
  return { ...node, size: naturalSize(doc, { ...node, size: [0, 0] }, faces) };
}
