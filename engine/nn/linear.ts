import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import { sizeOf } from "../tensor/shape.ts";

/** One low-rank branch of a Linear: y += scale·(x·aᵀ)·bᵀ, a [r, in], b [out, r]. */
export interface LowRank {
  readonly a: Value;
  readonly b: Value;
  readonly scale: number;
}

/** Parameters of one Linear as files store them. */
export interface LinearParams {
  /** [out, in], any float dtype (fp8 too) or int8. */
  readonly weight: Value;
  /** [out]. */
  readonly bias?: Value | null;
  /**
   * Scale of a quantised weight: one number ([] or [1]), or one per output row ([out] or [out, 1]). It commutes with the product,
   * so it scales the output and no widened copy of the weight is made.
   */
  readonly scale?: Value | null;
  /** Branches run beside the weight, never merged into it: exact in float32 over any weight dtype, and trainable. */
  readonly adapters?: readonly LowRank[];
}

/** x·Wᵀ·scale + bias (+ low-rank branches) on the last axis: [..., in] → [..., out], in the dtype of `x`. */
export function linear(b: Builder, x: Value, { weight, bias, scale, adapters = [] }: LinearParams): Value {
  const [out = 0, width = 0] = weight.shape;
  const rows = b.reshape(x, [-1, width]);
  const w = b.cast(weight, x.dtype);
  const c = bias ? b.cast(bias, x.dtype) : null;
  let y: Value;
  if (scale) {
    const factor = b.cast(b.reshape(scale, sizeOf(scale.shape) === 1 ? [] : [out]), x.dtype);
    y = b.mul(b.gemm(rows, w, null, { transB: true }), factor);
    if (c) y = b.add(y, c);
  } else y = b.gemm(rows, w, c, { transB: true });
  for (const low of adapters) {
    const down = b.gemm(rows, b.cast(low.a, x.dtype), null, { transB: true, alpha: low.scale });
    y = b.gemm(down, b.cast(low.b, x.dtype), y, { transB: true });
  }
  return b.reshape(y, [...x.shape.slice(0, -1), out]);
}
