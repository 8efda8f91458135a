import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";

/** Parameters of one Linear as files store them. */
export interface LinearParams {
  /** [out, in], any float dtype (fp8 too). */
  readonly weight: Value;
  /** [out]. */
  readonly bias?: Value | null;
  /** Of an fp8 weight: one number, [] or [1]. It commutes with the product, so it scales the output and no copy is made. */
  readonly scale?: Value | null;
}

/** x·Wᵀ·scale + bias on the last axis: [..., in] → [..., out], in the dtype of `x`. */
export function linear(b: Builder, x: Value, { weight, bias, scale }: LinearParams): Value {
  const [out = 0, width = 0] = weight.shape;
  const rows = b.reshape(x, [-1, width]);
  const w = b.cast(weight, x.dtype);
  const c = bias ? b.cast(bias, x.dtype) : null;
  const shape = [...x.shape.slice(0, -1), out];
  if (!scale) return b.reshape(b.gemm(rows, w, c, { transB: true }), shape);
  const scaled = b.mul(b.gemm(rows, w, null, { transB: true }), b.cast(b.reshape(scale, []), x.dtype));
  return b.reshape(c ? b.add(scaled, c) : scaled, shape);
}
