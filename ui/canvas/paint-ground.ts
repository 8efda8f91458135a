// What lies below the nodes: the dots and the groups.
import type { StageGroup } from "./projection.ts";
import { xy } from "./projection.ts";
import { FONT, type Theme } from "./theme.ts";

export function paintDots(
  ctx: CanvasRenderingContext2D,
  theme: Theme,
  {
    scale,
    offset,
    width,
    height,
  }: { readonly scale: number; readonly offset: ArrayLike<number>; readonly width: number; readonly height: number },
): void {
  const [left, top] = xy(offset);
  let step = 40 * scale;
  while (step < 18) step *= 4;
  if (step > 400) return;
  const r = Math.max(0.6, Math.min(1.2, scale));
  ctx.fillStyle = theme.dot;
  const x0 = (((left * scale) % step) + step) % step;
  const y0 = (((top * scale) % step) + step) % step;
  ctx.beginPath();
  for (let x = x0; x < width; x += step) for (let y = y0; y < height; y += step) ctx.rect(x - r, y - r, r * 2, r * 2);
  ctx.fill();
}

export function paintGroup(ctx: CanvasRenderingContext2D, group: StageGroup, theme: Theme, scale: number): void {
  const [x, y] = xy(group.pos);
  const [w, h] = xy(group.size);
  const color = group.color || theme.t3;
  ctx.beginPath();
  ctx.roundRect(x, y, w, h, 8);
  ctx.globalAlpha = 0.09;
  ctx.fillStyle = color;
  ctx.fill();
  ctx.globalAlpha = group.selected ? 1 : 0.5;
  ctx.strokeStyle = group.selected ? theme.accent : color;
  ctx.lineWidth = (group.selected ? 2 : 1) / Math.min(1, scale);
  ctx.stroke();
  ctx.globalAlpha = 1;
  const size = Math.max(16, Math.min(48, 11 / scale));
  if (size * scale < 6) return;
  ctx.font = `600 ${size}px ${FONT}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillStyle = theme.t2;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, w - 10, h);
  ctx.clip();
  ctx.fillText(group.title, x + 12, y + Math.max(group.titleHeight / 2, size * 0.7));
  ctx.restore();
  if (scale > 0.4) {
    ctx.strokeStyle = color;
    ctx.globalAlpha = 0.6;
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(x + w - 12, y + h - 3);
    ctx.lineTo(x + w - 3, y + h - 12);
    ctx.moveTo(x + w - 7, y + h - 3);
    ctx.lineTo(x + w - 3, y + h - 7);
    ctx.stroke();
    ctx.globalAlpha = 1;
  }
}
