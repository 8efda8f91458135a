// Soft shapes for painting pixel by pixel: no font, no vector library, any resolution.
import type { Rgb } from "./colours.ts";

/** A picture being painted: row-major RGB, 0..1. */
export interface Canvas {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** Lays `alpha` (0..1) of a colour over the pixel that starts at `at`. */
export function blend(data: Float32Array, at: number, c: Rgb, alpha: number): void {
  if (!(alpha > 0)) return;
  const rest = 1 - alpha;
  data[at] = (data[at] ?? 0) * rest + c[0] * alpha;
  data[at + 1] = (data[at + 1] ?? 0) * rest + c[1] * alpha;
  data[at + 2] = (data[at + 2] ?? 0) * rest + c[2] * alpha;
}

/** Negative inside, 0 on the rim of an axis-aligned ellipse, roughly in units of its smaller radius. */
export function ellipse(x: number, y: number, rx: number, ry: number): number {
  return (Math.sqrt((x / rx) ** 2 + (y / ry) ** 2) - 1) * Math.min(rx, ry);
}

/** Signed distance of a box with half sides hx, hy. */
export function box(x: number, y: number, hx: number, hy: number): number {
  return Math.max(Math.abs(x) - hx, Math.abs(y) - hy);
}

/** 1 inside (d < 0), 0 outside, a smooth step over ±softness. */
export function cover(d: number, softness: number): number {
  const t = 0.5 - d / (2 * softness);
  if (t <= 0) return 0;
  if (t >= 1) return 1;
  return t * t * (3 - 2 * t);
}

/** exp(−½ (x/s)²), 0 beyond 4 s. */
export function gauss(x: number, s: number): number {
  const q = x / s;
  return q > 4 || q < -4 ? 0 : Math.exp(-0.5 * q * q);
}

/** 0 below a, 1 above b, smooth between. */
export function ramp(x: number, a: number, b: number): number {
  const t = (x - a) / (b - a);
  if (t <= 0) return 0;
  if (t >= 1) return 1;
  return t * t * (3 - 2 * t);
}
