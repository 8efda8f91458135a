// What a gesture in progress draws over the graph: a link on its way, a node about to be joined, the knife, the box.
import type { LinkConnector } from "@comfyorg/litegraph";
import { type Point, typeName } from "../doc/document.ts";
import type { LinkDrop } from "./link-drop.ts";
import { type LinkScene, traceLink } from "./link-painter.ts";
import type { StageNode } from "./projection.ts";
import { socketColor, socketPath, socketShape } from "./socket-look.ts";
import { FONT, type Theme } from "./theme.ts";

export function paintDrag(
  ctx: CanvasRenderingContext2D,
  connector: LinkConnector,
  drop: LinkDrop,
  at: Point,
  { theme, scale, shape }: Pick<LinkScene, "theme" | "scale" | "shape">,
): void {
  const [x, y] = at;
  const plan = drop.plan(x, y);
  const to: Point = plan?.snap ?? [x, y];
  const toInput = connector.state.connectingTo === "input";
  for (const link of connector.renderLinks) {
    const end = drop.end(link);
    if (!end) continue;
    const type = typeName(link.fromSlot.type);
    const color = socketColor(type, theme);
    const from: Point = link.fromReroute ? [link.fromReroute.pos[0], link.fromReroute.pos[1]] : [link.fromPos[0], link.fromPos[1]];
    const [a, b] = toInput ? [from, to] : [to, from];
    const path = new Path2D();
    traceLink(path, [a, b], shape === "hidden" ? "spline" : shape);
    ctx.strokeStyle = plan?.refused === undefined ? color : theme.bad;
    ctx.lineWidth = Math.max(2.5, 1.5 / scale);
    ctx.setLineDash(plan?.refused === undefined ? [] : [6, 5]);
    ctx.stroke(path);
    ctx.setLineDash([]);
    ctx.beginPath();
    socketPath(ctx, socketShape(type), to[0], to[1], plan?.snap ? 7 : 5);
    ctx.fillStyle = color;
    ctx.fill();
  }
  if (plan?.refused === undefined) return;
  ctx.font = `${12 / scale}px ${FONT}`;
  const width = ctx.measureText(plan.refused).width;
  ctx.beginPath();
  ctx.roundRect(x + 14 / scale, y - 30 / scale, width + 16 / scale, 24 / scale, 4 / scale);
  ctx.fillStyle = theme.s2;
  ctx.fill();
  ctx.strokeStyle = theme.bad;
  ctx.lineWidth = 1 / scale;
  ctx.stroke();
  ctx.fillStyle = theme.t1;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillText(plan.refused, x + 22 / scale, y - 18 / scale);
}

export function paintJoin(ctx: CanvasRenderingContext2D, to: StageNode, theme: Theme): void {
  const [x, y, w, h] = [...to.outer];
  ctx.beginPath();
  ctx.roundRect((x ?? 0) - 4, (y ?? 0) - 4, (w ?? 0) + 8, (h ?? 0) + 8, 9);
  ctx.strokeStyle = theme.accent;
  ctx.lineWidth = 3;
  ctx.setLineDash([8, 5]);
  ctx.stroke();
  ctx.setLineDash([]);
}

export function paintKnife(
  ctx: CanvasRenderingContext2D,
  cut: { readonly from: Point; readonly to: Point },
  theme: Theme,
  scale: number,
): void {
  ctx.strokeStyle = theme.bad;
  ctx.lineWidth = 1.5 / scale;
  ctx.setLineDash([6 / scale, 4 / scale]);
  ctx.beginPath();
  ctx.moveTo(cut.from[0], cut.from[1]);
  ctx.lineTo(cut.to[0], cut.to[1]);
  ctx.stroke();
  ctx.setLineDash([]);
}

export function paintBox(ctx: CanvasRenderingContext2D, marquee: ArrayLike<number>, theme: Theme, scale: number): void {
  const [mx = 0, my = 0, mw = 0, mh = 0] = [marquee[0], marquee[1], marquee[2], marquee[3]];
  ctx.globalAlpha = 0.12;
  ctx.fillStyle = theme.accent;
  ctx.fillRect(mx, my, mw, mh);
  ctx.globalAlpha = 1;
  ctx.strokeStyle = theme.accent;
  ctx.lineWidth = 1 / scale;
  ctx.strokeRect(mx, my, mw, mh);
}
