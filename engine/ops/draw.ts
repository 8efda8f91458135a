// Random tensors for op samples.
import type { DType } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import type { RefTensor } from "./define-op.ts";
import { build } from "./reference.ts";

export type Rng = () => number;

/** Uniform in [lo, hi). */
export function uniform(rng: Rng, shape: Shape, lo = -2, hi = 2): RefTensor {
  return build(shape, () => Math.fround(lo + (hi - lo) * rng()));
}

/** Either sign, magnitude in [gap, hi): away from the kink at zero. */
export function apart(rng: Rng, shape: Shape, gap = 0.05, hi = 2): RefTensor {
  return build(shape, () => Math.fround((rng() < 0.5 ? -1 : 1) * (gap + (hi - gap) * rng())));
}

/** Distinct values in random order, at least `gap` apart: no ties for max, sort and arg ops. */
export function distinct(rng: Rng, shape: Shape, gap = 0.1): RefTensor {
  const out = build(shape, (_, i) => i);
  for (let i = out.data.length - 1; i > 0; i--) {
    const j = Math.floor(rng() * (i + 1));
    const [a, b] = [out.data[i] ?? 0, out.data[j] ?? 0];
    out.data[i] = b;
    out.data[j] = a;
  }
  return build(shape, (_, i) => Math.fround(((out.data[i] ?? 0) - out.data.length / 2 + 0.25) * gap));
}

/** Integers in [lo, hi). */
export function integers(rng: Rng, shape: Shape, lo: number, hi: number, dtype: DType = "int64"): RefTensor {
  return { ...build(shape, () => lo + Math.floor(rng() * (hi - lo))), dtype };
}

/** Coin flips. */
export function bools(rng: Rng, shape: Shape): RefTensor {
  return { ...build(shape, () => (rng() < 0.5 ? 0 : 1)), dtype: "bool" };
}
