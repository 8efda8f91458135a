import { AppError } from "../base/errors.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import type { DType } from "../tensor/dtype.ts";
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
  readonly dora?: Dora;
}

/** DoRA (arXiv 2402.09353): the change also sets the length of every row, or column, of the weight. */
export interface Dora {
  /** [out, 1] or [1, in]. */
  readonly magnitude: Value;
  readonly strength: number;
  /** Whose lengths are divided by: the weight's as it was, or with the change. */
  readonly norm: "weight" | "changed";
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

/** x·Wᵀ·scale + bias (+ low-rank branches) on the last axis: [..., in] → [..., out], in the dtype of `x`. @throws AppError NN_LINEAR when the weight does not fit */
export function linear(b: Builder, x: Value, { weight, bias, scale, adapters = [] }: LinearParams): Value {
  const [out = 0, width = 0] = weight.shape;
  const refuse = (value: Value, what: string): AppError => new AppError("NN_LINEAR", `${labelOf(value)} is [${value.shape}], and ${what}`);
  if (weight.shape.length !== 2 || x.shape.at(-1) !== width) throw refuse(weight, `${x.shape.at(-1)} numbers come in`);
  // One number alone would be repeated.
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== out)) throw refuse(bias, `the layer gives ${out} numbers`);
  const rows = b.reshape(x, [-1, width]);
  if (adapters.some((low) => low.dora)) {
    const merged = mergedWeight(b, x.dtype, { weight, scale: scale ?? null, adapters });
    let z = b.gemm(rows, merged, bias ? b.cast(bias, x.dtype) : null, { transB: true });
    for (const low of adapters) if (low.bias) z = b.add(z, b.cast(low.bias, x.dtype));
    return b.reshape(z, [...x.shape.slice(0, -1), out]);
  }
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

function labelOf({ def }: Value): string {
  return def.kind === "weight" ? def.name : "a weight";
}

/** float32's epsilon, which keeps a row of zeros from dividing by 0. */
const EPS = 2 ** -23;

/** The whole weight with one change after the other, as ComfyUI makes it: lengths can't be told from the product. */
function mergedWeight(
  b: Builder,
  dtype: DType,
  { weight, scale, adapters }: Required<Pick<LinearParams, "weight" | "scale" | "adapters">>,
): Value {
  const [out = 0, width = 0] = weight.shape;
  let w = b.cast(weight, dtype);
  if (scale) w = b.mul(w, b.cast(b.reshape(scale, sizeOf(scale.shape) === 1 ? [] : [out, 1]), dtype));
  for (const { a, b: up, scale: factor, outer, dora } of adapters) {
    const product = b.mul(b.gemm(b.cast(up, dtype), b.cast(a, dtype), null), factor);
    const [rows = 0, columns = 0] = product.shape;
    const whole = outer
      ? b.mul(b.reshape(b.cast(outer, dtype), [out / rows, 1, width / columns, 1]), b.reshape(product, [1, rows, 1, columns]))
      : product;
    const changed = b.add(w, b.reshape(whole, [out, width]));
    if (!dora) {
      w = changed;
      continue;
    }
    const measured = dora.norm === "weight" ? w : changed;
    const length = b.add(b.sqrt(b.sum(b.mul(measured, measured), [dora.magnitude.shape[0] === out ? 1 : 0])), EPS);
    const set = b.mul(changed, b.div(b.cast(dora.magnitude, dtype), length));
    w = dora.strength === 1 ? set : b.add(w, b.mul(b.sub(set, w), dora.strength));
  }
  return w;
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
