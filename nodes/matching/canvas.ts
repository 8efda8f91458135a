// Just enough drawing for a match: antialiased strokes, rounded boxes, pictures and digits on float pixels.
import type { Point } from "../shared/contracts/data.ts";
import { ImagePyramid, type Pixels } from "../shared/pictures/warp-image.ts";
import { glyphsOf } from "./stroke-font.ts";

/** Red, green, blue in 0..1. */
export type Color = readonly [number, number, number];

/** x, y, width, height. */
export type Rect = readonly [x: number, y: number, width: number, height: number];

/** Coordinates are pixels with centres at .5; whatever lies outside is clipped. */
export class Canvas {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3]. */
  readonly data: Float32Array;

  constructor(width: number, height: number, background: Color) {
    this.width = width;
    this.height = height;
    this.data = Float32Array.from({ length: width * height * 3 }, (_, i) => background[i % 3] ?? 0);
  }

  /** A picture, or the part `from` of it, stretched over a rectangle of whole pixels. What `from` shows beyond the picture is black. */
  picture(source: Pixels, [x, y, width, height]: Rect, from: Rect = [0, 0, source.width, source.height]): void {
    const [sx, sy] = [from[2] / width, from[3] / height];
    const pixels = new ImagePyramid(source).warp([sx, 0, from[0], 0, sy, from[1]], width, height);
    for (let row = 0; row < height; row++) {
      const to = y + row;
      if (to < 0 || to >= this.height) continue;
      const [left, right] = [Math.max(0, x), Math.min(this.width, x + width)];
      if (left < right)
        this.data.set(pixels.subarray((row * width + left - x) * 3, (row * width + right - x) * 3), (to * this.width + left) * 3);
    }
  }

  /** A line through points with round ends. */
  stroke(points: readonly Point[], thickness: number, color: Color): void {
    for (let i = 1; i < points.length; i++) {
      const [a, b] = [points[i - 1], points[i]];
      if (a && b) this.#capsule(a, b, thickness / 2, color);
    }
  }

  /** The same, interrupted: `dash` long, `dash` apart. */
  dashed(points: readonly Point[], thickness: number, color: Color, dash: number): void {
    let walked = 0;
    for (let i = 1; i < points.length; i++) {
      const [a, b] = [points[i - 1], points[i]];
      if (!a || !b) continue;
      const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
      const at = (d: number): Point => [a[0] + ((b[0] - a[0]) * d) / length, a[1] + ((b[1] - a[1]) * d) / length];
      for (let d = 0; d < length; ) {
        const left = dash - ((walked + d) % dash);
        const end = Math.min(length, d + Math.max(left, 1e-6));
        if (Math.floor((walked + d) / dash + 1e-9) % 2 === 0) this.#capsule(at(d), at(end), thickness / 2, color);
        d = end;
      }
      walked += length;
    }
  }

  /** A filled box with round corners. */
  box([x, y, width, height]: Rect, radius: number, color: Color): void {
    const r = Math.min(radius, width / 2, height / 2);
    this.#fill(x, y, x + width, y + height, color, (px, py) => {
      const dx = Math.max(x + r - px, px - (x + width - r), 0);
      const dy = Math.max(y + r - py, py - (y + height - r), 0);
      const inside = Math.min(px - x, x + width - px, py - y, y + height - py);
      return dx > 0 && dy > 0 ? r - Math.hypot(dx, dy) : inside;
    });
  }

  /** Digits, point and minus; `size` is their height. x, y is the top left corner. */
  text(text: string, x: number, y: number, size: number, color: Color): void {
    for (const { lines, offset } of glyphsOf(text))
      for (const line of lines)
        this.stroke(
          line.map(([u, v]) => [x + (offset + u) * size, y + v * size]),
          size * 0.15,
          color,
        );
  }

  #capsule([ax, ay]: Point, [bx, by]: Point, radius: number, color: Color): void {
    const [dx, dy] = [bx - ax, by - ay];
    const square = dx * dx + dy * dy;
    const [left, right] = [Math.min(ax, bx) - radius, Math.max(ax, bx) + radius];
    this.#fill(left, Math.min(ay, by) - radius, right, Math.max(ay, by) + radius, color, (px, py) => {
      const t = square > 0 ? Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / square)) : 0;
      return radius - Math.hypot(px - ax - t * dx, py - ay - t * dy);
    });
  }

  /** Blends a colour where `depth` (signed distance into the shape, in pixels) is positive; the edge is one pixel wide. */
  #fill(x0: number, y0: number, x1: number, y1: number, color: Color, depth: (x: number, y: number) => number): void {
    const [left, right] = [Math.max(0, Math.floor(x0 - 1)), Math.min(this.width, Math.ceil(x1 + 1))];
    const [top, bottom] = [Math.max(0, Math.floor(y0 - 1)), Math.min(this.height, Math.ceil(y1 + 1))];
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) {
        const alpha = Math.min(1, depth(x + 0.5, y + 0.5) + 0.5);
        if (alpha <= 0) continue;
        const at = (y * this.width + x) * 3;
        for (let k = 0; k < 3; k++) this.data[at + k] = (this.data[at + k] ?? 0) * (1 - alpha) + (color[k] ?? 0) * alpha;
      }
  }
}
