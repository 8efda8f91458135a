// What copy takes and paste gives: plain JSON, so it also travels between tabs and windows.
import { z } from "zod";
import {
  type Doc,
  type DocGraph,
  type DocGroup,
  type DocLink,
  type DocNode,
  type DocReroute,
  type DocSubgraph,
  graphAt,
  type Id,
  nodeById,
  type Place,
  type Point,
  withGraph,
} from "./document.ts";
import { attach, nextLinkId, nextNodeId, refusal } from "./links.ts";
import type { NodeFaces } from "./node-face.ts";
import { readDocument, writeDocument } from "./read-document.ts";

export interface Clip {
  readonly nodes: readonly DocNode[];
  readonly links: readonly DocLink[];
  /** Links that came from nodes outside: for pasting with links. */
  readonly incoming: readonly DocLink[];
  readonly groups: readonly DocGroup[];
  readonly reroutes: readonly DocReroute[];
  readonly subgraphs: readonly DocSubgraph[];
}

export function copyNodes(doc: Doc, place: Place, ids: readonly Id[], groups: readonly number[] = []): Clip {
  const graph = graphAt(doc, place);
  const chosen = new Set(ids.map(String));
  const nodes = graph.nodes.filter((n) => chosen.has(String(n.id)));
  const inside = (l: DocLink): boolean => chosen.has(String(l.origin_id)) && chosen.has(String(l.target_id));
  const links = graph.links.filter(inside);
  const linkIds = new Set(links.map((l) => String(l.id)));
  return {
    nodes,
    links,
    incoming: graph.links.filter((l) => chosen.has(String(l.target_id)) && !inside(l)),
    groups: groups.flatMap((i) => graph.groups[i] ?? []),
    reroutes: graph.reroutes.filter((r) => r.linkIds.some((id) => linkIds.has(String(id)))),
    subgraphs: definitionsFor(doc, nodes),
  };
}

function definitionsFor(doc: Doc, nodes: readonly DocNode[]): DocSubgraph[] {
  const found = new Map<string, DocSubgraph>();
  const open = [...nodes];
  for (let n = open.pop(); n; n = open.pop()) {
    const type = n.type;
    const definition = doc.subgraphs.find((s) => s.id === type);
    if (!definition || found.has(definition.id)) continue;
    found.set(definition.id, definition);
    open.push(...definition.nodes);
  }
  return [...found.values()];
}

/** Pastes with new ids, the top left corner at `pos`. Links from outside are restored where their source still exists and fits. */
export function pasteClip(doc: Doc, place: Place, faces: NodeFaces, clip: Clip, pos: Point, withLinks: boolean): Doc {
  const before = graphAt(doc, place);
  // A definition may not be pasted into itself.
  const nodes = clip.nodes.filter((n) => place === null || !reaches(doc, n.type, place));
  if (nodes.length === 0 && clip.groups.length === 0) return doc;
  const known = new Set(doc.subgraphs.map((s) => s.id));
  const withDefinitions: Doc = { ...doc, subgraphs: [...doc.subgraphs, ...clip.subgraphs.filter((s) => !known.has(s.id))] };
  const [dx, dy] = offset(clip, nodes, pos);
  let nextNode = nextNodeId(before);
  let nextLink = nextLinkId(before);
  const ids = new Map<string, number>(nodes.map((n) => [String(n.id), nextNode++]));
  const lastReroute = Math.max(0, ...before.reroutes.map((r) => (typeof r.id === "number" ? r.id : 0)));
  const bends = new Map<string, number>(clip.reroutes.map((r, i) => [String(r.id), lastReroute + i + 1]));
  const pasted = nodes.map(
    (n): DocNode => ({
      ...n,
      id: ids.get(String(n.id)) ?? n.id,
      pos: [n.pos[0] + dx, n.pos[1] + dy],
      inputs: n.inputs.map((i) => ({ ...i, link: null })),
      outputs: n.outputs.map((o) => ({ ...o, links: o.links === null ? null : [] })),
    }),
  );
  const groups = clip.groups.map((g): DocGroup => {
    const [x, y, w, h] = g.bounding;
    return { ...g, bounding: [x + dx, y + dy, w, h] };
  });
  const reroutes = clip.reroutes.map((r): DocReroute => {
    const { parentId, ...rest } = r;
    const parent = parentId === undefined ? undefined : bends.get(String(parentId));
    return {
      ...rest,
      id: bends.get(String(r.id)) ?? r.id,
      pos: [r.pos[0] + dx, r.pos[1] + dy],
      linkIds: [],
      ...(parent !== undefined && { parentId: parent }),
    };
  });
  const added = withGraph(withDefinitions, place, {
    nodes: [...before.nodes, ...pasted],
    groups: [...before.groups, ...groups],
    reroutes: [...before.reroutes, ...reroutes.map((r) => ({ ...r, linkIds: [-1] }))],
  });
  const links = clip.links.flatMap((l): DocLink[] => {
    const from = ids.get(String(l.origin_id));
    const to = ids.get(String(l.target_id));
    if (from === undefined || to === undefined) return [];
    const { parentId, ...rest } = l;
    const parent = parentId === undefined ? undefined : bends.get(String(parentId));
    return [{ ...rest, id: nextLink++, origin_id: from, target_id: to, ...(parent !== undefined && { parentId: parent }) }];
  });
  const joined = attach(added, place, faces, links);
  if (!withLinks) return joined;
  const outside = clip.incoming.flatMap((l): DocLink[] => {
    const to = ids.get(String(l.target_id));
    const graph = graphAt(joined, place);
    if (to === undefined || !nodeById(graph, l.origin_id)) return [];
    if (refusal(graph, { node: l.origin_id, slot: l.origin_slot }, { node: to, slot: l.target_slot }) !== undefined) return [];
    const { parentId: _, ...rest } = l;
    return [{ ...rest, id: nextLink++, target_id: to }];
  });
  return attach(joined, place, faces, outside);
}

function offset(clip: Clip, nodes: readonly DocNode[], pos: Point): Point {
  const xs = [...nodes.map((n) => n.pos[0]), ...clip.groups.map((g) => g.bounding[0])];
  const ys = [...nodes.map((n) => n.pos[1]), ...clip.groups.map((g) => g.bounding[1])];
  return [pos[0] - Math.min(...xs), pos[1] - Math.min(...ys)];
}

function reaches(doc: Doc, type: string, place: string): boolean {
  if (type === place) return true;
  return doc.subgraphs.find((s) => s.id === type)?.nodes.some((n) => reaches(doc, n.type, place)) ?? false;
}

/** The ids that a paste gave, in the order of the clip. */
export function pastedIds(before: DocGraph, after: DocGraph): Id[] {
  const old = new Set(before.nodes.map((n) => String(n.id)));
  return after.nodes.filter((n) => !old.has(String(n.id))).map((n) => n.id);
}

const MARK = "whos-who-clip";
const clipShape = z.looseObject({ [MARK]: z.literal(1), document: z.unknown(), incoming: z.array(z.unknown()) });

/** JSON for the system clipboard. */
export function writeClip(clip: Clip): Record<string, unknown> {
  const doc: Doc = {
    version: 1,
    nodes: clip.nodes,
    links: clip.links,
    groups: clip.groups,
    reroutes: clip.reroutes,
    subgraphs: clip.subgraphs,
    source: {},
  };
  const incoming: Doc = { ...doc, nodes: [], groups: [], reroutes: [], subgraphs: [], links: clip.incoming };
  return { [MARK]: 1, document: writeDocument(doc), incoming: writeDocument(incoming).links };
}

/** undefined when the text is not a clip of ours. */
export function readClip(value: unknown): Clip | undefined {
  const shape = clipShape.safeParse(value);
  if (!shape.success) return undefined;
  try {
    const doc = readDocument(shape.data.document);
    const incoming = readDocument({ nodes: [], links: shape.data.incoming, version: 1 });
    return {
      nodes: doc.nodes,
      links: doc.links,
      incoming: incoming.links,
      groups: doc.groups,
      reroutes: doc.reroutes,
      subgraphs: doc.subgraphs,
    };
  } catch {
    return undefined;
  }
}
