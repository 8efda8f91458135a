// The float64 reference is kept simple: it is the truth that fast code is compared with.
import { broadcastShapes, type Shape, sizeOf } from "../tensor/shape.ts";
import type { RefTensor } from "./define-op.ts";

/** A tensor from a function of its coordinates (`c` is reused between calls) and flat index. */
export function build(shape: Shape, f: (c: readonly number[], i: number) => number): RefTensor {
  const data = new Float64Array(sizeOf(shape));
  const c = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < data.length; i++) {
    data[i] = f(c, i);
    for (let k = shape.length - 1; k >= 0; k--) {
      const next = (c[k] ?? 0) + 1;
      if (next < (shape[k] ?? 1)) {
        c[k] = next;
        break;
      }
      c[k] = 0;
    }
  }
  return { shape, data };
}

/** Flat index of coordinates, which may come from a larger shape that this one broadcasts to. */
export function offset(shape: Shape, c: readonly number[]): number {
  const lag = c.length - shape.length;
  let o = 0;
  for (let k = 0; k < shape.length; k++) {
    const d = shape[k] ?? 1;
    o = o * d + (d === 1 ? 0 : (c[k + lag] ?? 0));
  }
  return o;
}

/** The element at (broadcast) coordinates. */
export function at(x: RefTensor, c: readonly number[]): number {
  return x.data[offset(x.shape, c)] ?? Number.NaN;
}

/** The element at a flat index. */
export function flat(x: RefTensor, i: number): number {
  return x.data[i] ?? Number.NaN;
}

/** Elementwise over broadcast inputs. */
export function broadcast(f: (...xs: number[]) => number, ...inputs: readonly RefTensor[]): RefTensor {
  const shape = broadcastShapes(...inputs.map((t) => t.shape));
  return build(shape, (c) => f(...inputs.map((t) => at(t, c))));
}

/** `c` with one coordinate replaced. */
export function put(c: readonly number[], axis: number, value: number): number[] {
  const out = [...c];
  out[axis] = value;
  return out;
}

/** The same numbers under another shape. */
export function reshaped(x: RefTensor, shape: Shape): RefTensor {
  return { shape, data: x.data };
}
