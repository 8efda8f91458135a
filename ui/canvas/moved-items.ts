import type { Point as LPoint } from "@comfyorg/litegraph";
import type { Command } from "../doc/commands.ts";
import type { DocGraph, Place, Point, Rect } from "../doc/document.ts";
import { round } from "./geometry.ts";
import type { Projection } from "./projection.ts";

/** What litegraph moved or resized, as commands. */
export function movedItems(projection: Projection, graph: DocGraph, place: Place): readonly Command[] {
  const moved = (a: LPoint | Float32Array, b: Point): boolean => Math.abs((a[0] ?? 0) - b[0]) > 0.01 || Math.abs((a[1] ?? 0) - b[1]) > 0.01;
  const commands: Command[] = [];
  const nodes = projection.nodes.filter((n) => moved(n.pos, n.docNode.pos));
  const resized = projection.nodes.filter(
    (n) => n.resizable && moved(n.size, [Math.max(n.docNode.size[0], n.layout.min[0]), Math.max(n.docNode.size[1], n.layout.min[1])]),
  );
  const groups = projection.groups.flatMap((g) => {
    const before = graph.groups[g.index]?.bounding;
    const to: Rect = [round(g.pos[0]), round(g.pos[1]), round(g.size[0]), round(g.size[1])];
    return before && to.some((v, i) => Math.abs(v - (before[i] ?? 0)) > 0.5) ? [{ index: g.index, to }] : [];
  });
  const reroutes = graph.reroutes.flatMap((r) => {
    const stage = projection.graph.reroutes.get(Number(r.id));
    return stage && moved(stage.pos, r.pos) ? [{ id: r.id, to: [round(stage.pos[0]), round(stage.pos[1])] as Point }] : [];
  });
  for (const n of resized)
    commands.push({
      name: "node.resize",
      args: { place: place, id: n.docNode.id, pos: [round(n.pos[0]), round(n.pos[1])], size: [round(n.size[0]), round(n.size[1])] },
    });
  const only = nodes.filter((n) => !resized.includes(n));
  if (only.length + groups.length + reroutes.length > 0)
    commands.push({
      name: "items.move",
      args: {
        place: place,
        nodes: only.map((n) => ({ id: n.docNode.id, to: [round(n.pos[0]), round(n.pos[1])] })),
        groups,
        reroutes,
      },
    });
  return commands;
}
