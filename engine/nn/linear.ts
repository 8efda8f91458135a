import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import { sizeOf } from "../tensor/shape.ts";

/** One low-rank branch of a Linear: y += scale·(x·aᵀ)·bᵀ, a [r, in], b [out, r]; with `outer`, the Kronecker product outer ⊗ b·a. */
export interface LowRank {
  readonly a: Value;
  readonly b: Value;
  readonly scale: number;
  /** [p, q], with a [r, in / q] and b [out / p, r]. */
  readonly outer?: Value;
  /** [out], added to y. */
  readonly bias?: Value;
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
    y = low.outer ? b.add(y, kronecker(b, rows, low, low.outer)) : lowRank(b, rows, low, y);
    if (low.bias) y = b.add(y, b.cast(low.bias, x.dtype));
  }
  return b.reshape(y, [...x.shape.slice(0, -1), out]);
}

function lowRank(b: Builder, x: Value, low: LowRank, y: Value | null): Value {
  const down = b.gemm(x, b.cast(low.a, x.dtype), null, { transB: true, alpha: low.scale });
  return b.gemm(down, b.cast(low.b, x.dtype), y, { transB: true });
}

/** Both factors on their own axis of a row cut in `q` blocks: the product itself would be as large as the weight. */
function kronecker(b: Builder, x: Value, low: LowRank, outer: Value): Value {
  const [n = 0, width = 0] = x.shape;
  const [p = 0, q = 0] = outer.shape;
  const [c = 0] = low.b.shape;
  const blocks = b.reshape(lowRank(b, b.reshape(x, [n * q, width / q]), low, null), [n, q, c]);
  const columns = b.reshape(b.transpose(blocks, [0, 2, 1]), [n * c, q]);
  const mixed = b.reshape(b.gemm(columns, b.cast(outer, x.dtype), null, { transB: true }), [n, c, p]);
  return b.reshape(b.transpose(mixed, [0, 2, 1]), [n, p * c]);
}
