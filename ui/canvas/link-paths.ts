// Where links run: from socket to socket, over their bends.
import type { LLink, Reroute } from "@comfyorg/litegraph";
import type { Point } from "../doc/document.ts";
import { TITLE_HEIGHT } from "../doc/node-layout.ts";
import { docId, type Projection, type StageNode, xy } from "./projection.ts";

export class LinkPaths {
  readonly #projection: Projection;

  constructor(projection: Projection) {
    this.#projection = projection;
  }

  /** Both ends and every bend between them; undefined when an end is not on the canvas. */
  points(link: LLink): readonly Point[] | undefined {
    const ends = this.ends(link);
    return ends && [ends[0], ...this.bends(link).map((r) => xy(r.pos)), ends[1]];
  }

  ends(link: LLink): readonly [Point, Point] | undefined {
    const a = this.#projection.node(docId(link.origin_id));
    const b = this.#projection.node(docId(link.target_id));
    const from = a && this.outputAt(a, link.origin_slot);
    const to = b && this.inputAt(b, link.target_slot);
    return from && to ? [from, to] : undefined;
  }

  outputAt(node: StageNode, slot: number): Point {
    if (node.flags.collapsed) return [node.pos[0] + node.outer[2], node.pos[1] - TITLE_HEIGHT / 2];
    const at = node.layout.outputs[slot] ?? [node.size[0], 0];
    return [node.pos[0] + at[0], node.pos[1] + at[1]];
  }

  inputAt(node: StageNode, slot: number): Point {
    if (node.flags.collapsed) return [node.pos[0], node.pos[1] - TITLE_HEIGHT / 2];
    const at = node.layout.inputs[slot] ?? [0, 0];
    return [node.pos[0] + at[0], node.pos[1] + at[1]];
  }

  bends(link: LLink): Reroute[] {
    const { reroutes } = this.#projection.graph;
    const found: Reroute[] = [];
    const seen = new Set<number>();
    for (let id = link.parentId; id !== undefined && !seen.has(id); ) {
      seen.add(id);
      const reroute = reroutes.get(id);
      if (!reroute) break;
      found.unshift(reroute);
      id = reroute.parentId;
    }
    return found;
  }
}
