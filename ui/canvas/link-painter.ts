// Links and their bends. Those of one colour are one path: thousands cost a few strokes.
import type { LLink } from "@comfyorg/litegraph";
import type { Point, Rect } from "../doc/document.ts";
import { near } from "./geometry.ts";
import type { LinkPaths } from "./link-paths.ts";
import { LinkBatch, linkCurve, onCurve } from "./paint-link.ts";
import { docId, type Projection } from "./projection.ts";
import { socketColor } from "./socket-look.ts";
import type { LinkGradient, StageOptions } from "./stage-types.ts";
import type { Theme } from "./theme.ts";

export type LinkShape = StageOptions["links"];

export interface LinkScene {
  /** The part of the graph that is in view. */
  readonly area: Rect;
  readonly theme: Theme;
  readonly scale: number;
  readonly shape: LinkShape;
  readonly gradient: LinkGradient | undefined;
}

export class LinkPainter {
  readonly #projection: Projection;
  readonly #paths: LinkPaths;
  readonly #batch = new LinkBatch();

  constructor(projection: Projection, paths: LinkPaths) {
    this.#projection = projection;
    this.#paths = paths;
  }

  /** @returns those whose middle can be taken hold of */
  paint(ctx: CanvasRenderingContext2D, { area, theme, scale, shape, gradient }: LinkScene): readonly LLink[] {
    const held: LLink[] = [];
    if (shape === "hidden") return held;
    const width = Math.max(2, 1.1 / scale);
    const isSimple = scale < 0.25;
    const chosen = new Set(this.#projection.nodes.flatMap((n) => (n.selected ? [n] : [])));
    for (const link of this.#projection.graph._links.values()) {
      if (link._dragging) continue;
      const points = this.#paths.points(link);
      if (!points) continue;
      if (!near(area, points, 260)) continue;
      const origin = this.#projection.node(docId(link.origin_id));
      const target = this.#projection.node(docId(link.target_id));
      const lit = chosen.size > 0 && ((origin && chosen.has(origin)) || (target && chosen.has(target)));
      const faded = (chosen.size > 0 && !lit) || origin?.docNode.mode === 2 || target?.docNode.mode === 2;
      const path = this.#batch.at(socketColor(String(link.type), theme), lit ? width * 1.6 : width, faded ? 0.45 : 0.85);
      traceLink(path, points, isSimple ? "linear" : shape);
      const flow = gradient?.(link.id);
      if (flow !== undefined && !isSimple) this.#gradient(points, flow, { width, theme, shape });
      if (scale >= 0.6) {
        const a = points[Math.floor((points.length - 2) / 2)];
        const b = points[Math.floor((points.length - 2) / 2) + 1];
        if (a && b) {
          const [c1, c2] = linkCurve(a, b);
          const [mx, my] = onCurve(a, c1, c2, b, 0.5);
          link._pos.set([mx, my]);
          path.moveTo(mx + 1.5, my);
          path.arc(mx, my, 1.5, 0, Math.PI * 2);
          held.push(link);
        }
      }
    }
    this.#batch.draw(ctx);
    return held;
  }

  /** A second thin line beside a link that carries a gradient; a bar across where it stops. */
  #gradient(
    points: readonly Point[],
    flow: "carries" | "stops",
    { width, theme, shape }: { readonly width: number; readonly theme: Theme; readonly shape: LinkShape },
  ): void {
    const first = points[0];
    const last = points.at(-1);
    if (!first || !last) return;
    if (flow === "carries")
      traceLink(
        this.#batch.at(theme.good, width / 2),
        points.map(([x, y]): Point => [x, y + 4]),
        shape,
      );
    else {
      const [c1, c2] = linkCurve(first, last);
      const [x, y] = onCurve(first, c1, c2, last, 0.8);
      const bar = this.#batch.at(theme.warn, width * 1.4);
      bar.moveTo(x - 2, y - 8);
      bar.lineTo(x + 2, y + 8);
    }
  }

  reroutes(ctx: CanvasRenderingContext2D, { area, theme, scale }: LinkScene): void {
    if (scale < 0.25) return;
    for (const reroute of this.#projection.graph.reroutes.values()) {
      if (!near(area, [[reroute.pos[0], reroute.pos[1]]], 10)) continue;
      const link = this.#projection.graph._links.get([...reroute.linkIds][0] ?? -1);
      ctx.beginPath();
      ctx.arc(reroute.pos[0], reroute.pos[1], 6, 0, Math.PI * 2);
      ctx.fillStyle = socketColor(String(link?.type ?? "*"), theme);
      ctx.fill();
      ctx.strokeStyle = reroute.selected ? theme.accent : theme.s0;
      ctx.lineWidth = 2;
      ctx.stroke();
    }
  }
}

export function traceLink(path: Path2D, points: readonly Point[], shape: LinkShape): void {
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1];
    const b = points[i];
    if (!a || !b) continue;
    path.moveTo(a[0], a[1]);
    if (shape === "linear") path.lineTo(b[0], b[1]);
    else if (shape === "straight") {
      const middle = (a[0] + b[0]) / 2;
      path.lineTo(middle, a[1]);
      path.lineTo(middle, b[1]);
      path.lineTo(b[0], b[1]);
    } else {
      const [c1, c2] = linkCurve(a, b);
      path.bezierCurveTo(c1[0], c1[1], c2[0], c2[1], b[0], b[1]);
    }
  }
}
