// What is under a point of the graph.
import type { Id } from "../doc/document.ts";
import { SLOT_HEIGHT } from "../doc/node-layout.ts";
import { inside } from "./geometry.ts";
import type { LinkPaths } from "./link-paths.ts";
import { linkCurve, onCurve } from "./paint-link.ts";
import { gridOf } from "./paint-node.ts";
import { type Projection, SLOT_REACH, StageNode } from "./projection.ts";
import type { Target } from "./stage-types.ts";

/** What hits depend on beside the graph. */
export interface HitView {
  scale(): number;
  areLinksHidden(): boolean;
  /** How many pictures a node shows. */
  pictures(node: StageNode): number;
}

export class HitTest {
  readonly #projection: Projection;
  readonly #paths: LinkPaths;
  readonly #view: HitView;

  constructor(projection: Projection, paths: LinkPaths, view: HitView) {
    this.#projection = projection;
    this.#paths = paths;
    this.#view = view;
  }

  nodeAt(x: number, y: number): StageNode | undefined {
    const nodes = this.#projection.graph._nodes;
    for (let i = nodes.length - 1; i >= 0; i--) {
      const node = nodes[i];
      if (node instanceof StageNode && inside(x, y, node.outer, 0)) return node;
    }
    return undefined;
  }

  targetAt(x: number, y: number): Target {
    const near = this.socketAt(x, y);
    if (near) return near;
    const node = this.nodeAt(x, y);
    if (node) {
      const px = x - node.pos[0];
      const py = y - node.pos[1];
      if (py < 0 || node.flags.collapsed) return { kind: "node", id: node.docNode.id, part: "title" };
      const box = node.layout.widgets.find((w) => inside(px, py, w.rect, 0));
      if (box) return { kind: "widget", id: node.docNode.id, box };
      const [bx, by, bw, bh] = node.layout.preview;
      const count = this.#view.pictures(node);
      if (count > 0 && inside(px, py, node.layout.preview, 0)) {
        const { columns, rows } = gridOf(Math.min(36, count), bw, bh);
        const index = Math.floor((py - by) / (bh / rows)) * columns + Math.floor((px - bx) / (bw / columns));
        return { kind: "node", id: node.docNode.id, part: "preview", picture: Math.min(count - 1, index) };
      }
      return { kind: "node", id: node.docNode.id, part: "body" };
    }
    const link = this.linkAt(x, y);
    if (link !== undefined) return { kind: "link", id: link };
    for (let i = this.#projection.groups.length - 1; i >= 0; i--) {
      const group = this.#projection.groups[i];
      if (group && inside(x, y, [group.pos[0], group.pos[1], group.size[0], group.titleHeight], 0))
        return { kind: "group", index: group.index };
    }
    return { kind: "canvas" };
  }

  socketAt(x: number, y: number): (Target & { readonly kind: "socket" }) | undefined {
    const nodes = this.#projection.graph._nodes;
    for (let n = nodes.length - 1; n >= 0; n--) {
      const node = nodes[n];
      if (!(node instanceof StageNode) || node.flags.collapsed || !inside(x, y, node.outer, SLOT_REACH)) continue;
      const px = x - node.pos[0];
      const py = y - node.pos[1];
      for (const [slot, at] of node.layout.outputs.entries())
        if (Math.abs(py - at[1]) <= SLOT_HEIGHT / 2 && Math.abs(px - at[0]) <= SLOT_REACH)
          return { kind: "socket", id: node.docNode.id, side: "output", slot };
      for (const [slot, at] of node.layout.inputs.entries())
        if (Math.abs(py - at[1]) <= SLOT_HEIGHT / 2 && px >= -SLOT_REACH && px <= 9)
          return { kind: "socket", id: node.docNode.id, side: "input", slot };
      if (inside(x, y, node.outer, 0)) return undefined;
    }
    return undefined;
  }

  linkAt(x: number, y: number): Id | undefined {
    if (this.#view.areLinksHidden()) return undefined;
    const reach = 5 / Math.min(1, this.#view.scale());
    for (const link of this.#projection.graph._links.values()) {
      const points = this.#paths.points(link);
      if (!points) continue;
      for (let i = 1; i < points.length; i++) {
        const a = points[i - 1];
        const b = points[i];
        if (!a || !b || x < Math.min(a[0], b[0]) - 80 || x > Math.max(a[0], b[0]) + 80) continue;
        if (y < Math.min(a[1], b[1]) - 40 || y > Math.max(a[1], b[1]) + 40) continue;
        const [c1, c2] = linkCurve(a, b);
        for (let t = 0; t <= 1; t += 1 / 32) {
          const p = onCurve(a, c1, c2, b, t);
          if (Math.hypot(p[0] - x, p[1] - y) < Math.max(reach, Math.hypot(b[0] - a[0], b[1] - a[1]) / 64)) return link.id;
        }
      }
    }
    return undefined;
  }
}
