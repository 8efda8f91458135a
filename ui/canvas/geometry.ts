import type { Point, Rect } from "../doc/document.ts";

export function inside(x: number, y: number, r: ArrayLike<number>, margin: number): boolean {
  const [rx = 0, ry = 0, w = 0, h = 0] = [r[0], r[1], r[2], r[3]];
  return x >= rx - margin && x <= rx + w + margin && y >= ry - margin && y <= ry + h + margin;
}

export function overlaps(area: Rect, r: ArrayLike<number>, margin: number): boolean {
  const [x = 0, y = 0, w = 0, h = 0] = [r[0], r[1], r[2], r[3]];
  return x - margin < area[0] + area[2] && x + w + margin > area[0] && y - margin < area[1] + area[3] && y + h + margin > area[1];
}

export function near(area: Rect, points: readonly Point[], margin: number): boolean {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    if (x < x0) x0 = x;
    if (x > x1) x1 = x;
    if (y < y0) y0 = y;
    if (y > y1) y1 = y;
  }
  return x0 - margin < area[0] + area[2] && x1 + margin > area[0] && y0 - margin < area[1] + area[3] && y1 + margin > area[1];
}

export function round(v: number): number {
  return Math.round(v * 100) / 100;
}
