import { AppError } from "../base/errors.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";

/**
 * x · rsqrt(mean(x², last axis) + eps) · weight, computed in float32 and returned in the dtype of `x`.
 * @param weight [C] of any float dtype, C = last dimension of x
 * @throws AppError NN_NORM when the weight has another size: one number alone would be repeated
 */
export function rmsNorm(b: Builder, x: Value, weight: Value, eps: number): Value {
  if (weight.shape.length !== 1 || weight.shape[0] !== x.shape.at(-1))
    throw new AppError(
      "NN_NORM",
      `${weight.def.kind === "weight" ? weight.def.name : "a norm's weight"} is [${weight.shape}], and ${x.shape.at(-1)} numbers come in`,
    );
  const wide = b.cast(x, "float32");
  const rms = b.sqrt(b.add(b.mean(b.mul(wide, wide), [-1]), eps));
  return b.cast(b.mul(b.div(wide, rms), b.cast(weight, "float32")), x.dtype);
}
