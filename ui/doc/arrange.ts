// Lays a graph out in columns: each node right of what feeds it, columns sorted so that links cross little.
import { type Doc, type DocNode, graphAt, type Place, type Point, withGraph } from "./document.ts";
import type { NodeFaces } from "./node-face.ts";
import { naturalSize, outerRect, TITLE_HEIGHT } from "./node-layout.ts";

const GAP_X = 80;
const GAP_Y = 28;

export function arrangeGraph(doc: Doc, place: Place, faces: NodeFaces): Doc {
  const graph = graphAt(doc, place);
  if (graph.nodes.length === 0) return doc;
  const sources = new Map<string, string[]>(graph.nodes.map((n) => [String(n.id), []]));
  const targets = new Map<string, string[]>(graph.nodes.map((n) => [String(n.id), []]));
  for (const l of graph.links) {
    sources.get(String(l.target_id))?.push(String(l.origin_id));
    targets.get(String(l.origin_id))?.push(String(l.target_id));
  }
  const columns = columnsOf(graph.nodes, sources, targets);
  const row = new Map<string, number>();
  for (const column of columns) for (const [i, n] of column.entries()) row.set(String(n.id), i / column.length);
  // Four sweeps of the usual barycentre heuristic settle graphs of this kind.
  for (let sweep = 0; sweep < 4; sweep++) {
    const order = sweep % 2 === 0 ? columns : [...columns].reverse();
    const near = sweep % 2 === 0 ? sources : targets;
    for (const column of order) {
      const weight = new Map(column.map((n) => [n, centre(n, near, row)]));
      column.sort((a, b) => (weight.get(a) ?? 0) - (weight.get(b) ?? 0));
      for (const [i, n] of column.entries()) row.set(String(n.id), i / column.length);
    }
  }
  const positions = new Map<string, { readonly pos: Point; readonly size: Point }>();
  let x = 0;
  const heights = columns.map((c) => c.reduce((h, n) => h + sizeOf(doc, n, faces)[1] + TITLE_HEIGHT + GAP_Y, -GAP_Y));
  const tallest = Math.max(...heights);
  for (const [i, column] of columns.entries()) {
    let y = Math.min((tallest - (heights[i] ?? 0)) / 2, 160) + TITLE_HEIGHT;
    const width = Math.max(...column.map((n) => sizeOf(doc, n, faces)[0]));
    for (const n of column) {
      const size = sizeOf(doc, n, faces);
      positions.set(String(n.id), { pos: [Math.round(x), Math.round(y)], size });
      y += size[1] + TITLE_HEIGHT + GAP_Y;
    }
    x += width + GAP_X;
  }
  return withGraph(doc, place, {
    nodes: graph.nodes.map((n) => ({ ...n, ...positions.get(String(n.id)) })),
    groups: [],
    reroutes: graph.reroutes,
  });
}

function sizeOf(doc: Doc, node: DocNode, faces: NodeFaces): Point {
  const natural = naturalSize(doc, node, faces);
  return [Math.max(node.size[0], natural[0]), Math.max(node.size[1], natural[1])];
}

function columnsOf(
  nodes: readonly DocNode[],
  sources: ReadonlyMap<string, readonly string[]>,
  targets: ReadonlyMap<string, readonly string[]>,
): DocNode[][] {
  const depth = new Map<string, number>();
  const visit = (id: string, trail: ReadonlySet<string>): number => {
    const known = depth.get(id);
    if (known !== undefined) return known;
    if (trail.has(id)) return 0;
    const on = new Set(trail).add(id);
    const d = Math.max(0, ...(sources.get(id) ?? []).map((s) => visit(s, on) + 1));
    depth.set(id, d);
    return d;
  };
  for (const n of nodes) visit(String(n.id), new Set());
  // A node that feeds only things far to the right (a loader) stands next to the first of them.
  for (const n of nodes) {
    const id = String(n.id);
    const consumers = targets.get(id) ?? [];
    if ((sources.get(id) ?? []).length === 0 && consumers.length > 0)
      depth.set(id, Math.max(0, Math.min(...consumers.map((t) => depth.get(t) ?? 1)) - 1));
  }
  const columns: DocNode[][] = [];
  for (const n of nodes) {
    const d = depth.get(String(n.id)) ?? 0;
    while (columns.length <= d) columns.push([]);
    columns[d]?.push(n);
  }
  return columns.filter((c) => c.length > 0);
}

function centre(node: DocNode, near: ReadonlyMap<string, readonly string[]>, row: ReadonlyMap<string, number>): number {
  const rows = (near.get(String(node.id)) ?? []).map((id) => row.get(id) ?? 0);
  return rows.length === 0 ? (row.get(String(node.id)) ?? 0) : rows.reduce((a, b) => a + b, 0) / rows.length;
}

/** The rectangle around nodes. */
export function boundsOf(
  nodes: readonly DocNode[],
): { readonly x: number; readonly y: number; readonly width: number; readonly height: number } | undefined {
  if (nodes.length === 0) return undefined;
  const rects = nodes.map(outerRect);
  const x = Math.min(...rects.map((r) => r[0]));
  const y = Math.min(...rects.map((r) => r[1]));
  return { x, y, width: Math.max(...rects.map((r) => r[0] + r[2])) - x, height: Math.max(...rects.map((r) => r[1] + r[3])) - y };
}
