import { AppError } from "../base/errors.ts";

/** Dimensions, outermost first. Every dimension is a known non-negative integer: graphs are built per shape. */
export type Shape = readonly number[];

/** Product of the dimensions (1 for a scalar). */
export function sizeOf(shape: Shape): number {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let s = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = s;
    s *= shape[i] ?? 1;
  }
  return strides;
}

/** NumPy broadcasting of any number of shapes. @throws AppError TENSOR_BROADCAST */
export function broadcastShapes(...shapes: Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes)
    shape.forEach((d, i) => {
      const j = rank - shape.length + i;
      if (d === 1 || out[j] === d) return;
      if (out[j] !== 1) throw new AppError("TENSOR_BROADCAST", `shapes ${shapes.map((s) => `[${s}]`).join(" and ")} do not broadcast`);
      out[j] = d;
    });
  return out;
}

/** True when both shapes have the same dimensions. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** A non-negative axis. @throws AppError TENSOR_AXIS when out of range. */
export function normalizeAxis(axis: number, rank: number): number {
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(a) || a < 0 || a >= rank) throw new AppError("TENSOR_AXIS", `axis ${axis} is out of range for rank ${rank}`);
  return a;
}
