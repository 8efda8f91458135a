// Links: a curve from socket to socket, in the colour of its type. Many of one colour are one path.
import type { Point } from "../doc/document.ts";

/** Control points of a link: level where it leaves and arrives, softer the further apart the ends are. */
export function linkCurve(a: Point, b: Point): readonly [Point, Point] {
  const dx = Math.abs(b[0] - a[0]);
  const dy = Math.abs(b[1] - a[1]);
  const pull = Math.min(240, Math.max(24, dx * 0.45, b[0] < a[0] ? 60 + dy * 0.25 : 0));
  return [
    [a[0] + pull, a[1]],
    [b[0] - pull, b[1]],
  ];
}

/** The point at t (0..1) of a cubic curve. */
export function onCurve(a: Point, c1: Point, c2: Point, b: Point, t: number): Point {
  const u = 1 - t;
  const w = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t] as const;
  return [w[0] * a[0] + w[1] * c1[0] + w[2] * c2[0] + w[3] * b[0], w[0] * a[1] + w[1] * c1[1] + w[2] * c2[1] + w[3] * b[1]];
}

/** Whether the stretch p–q crosses the curve, to a few pixels. */
export function crosses(a: Point, b: Point, p: Point, q: Point): boolean {
  const [c1, c2] = linkCurve(a, b);
  let from = a;
  for (let i = 1; i <= 24; i++) {
    const to = onCurve(a, c1, c2, b, i / 24);
    if (intersect(from, to, p, q)) return true;
    from = to;
  }
  return false;
}

function intersect(a: Point, b: Point, c: Point, d: Point): boolean {
  const side = (p: Point, q: Point, r: Point): number => (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]);
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

/** Strokes gathered by colour and width, drawn at once. */
export class LinkBatch {
  readonly #paths = new Map<string, { readonly path: Path2D; readonly color: string; readonly width: number; readonly alpha: number }>();

  at(color: string, width: number, alpha = 1): Path2D {
    const key = `${color} ${width} ${alpha}`;
    let entry = this.#paths.get(key);
    if (!entry) {
      entry = { path: new Path2D(), color, width, alpha };
      this.#paths.set(key, entry);
    }
    return entry.path;
  }

  draw(ctx: CanvasRenderingContext2D): void {
    ctx.lineCap = "round";
    for (const { path, color, width, alpha } of this.#paths.values()) {
      ctx.globalAlpha = alpha;
      ctx.strokeStyle = color;
      ctx.lineWidth = width;
      ctx.stroke(path);
    }
    ctx.globalAlpha = 1;
    this.#paths.clear();
  }
}
