import { AppError } from "../../../engine/base/errors.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import type { LinearParams } from "../../../engine/nn/linear.ts";
import type { WeightFile } from "../../../engine/node/context.ts";
import { isFloat } from "../../../engine/tensor/dtype.ts";

/** The Linears of Qwen2.5-VL that have a bias. */
const BIASED = /\.[qkv]_proj$|^visual\.(blocks|merger)\./;

/** Parameters of the encoder as values of a graph, straight from the file. */
export interface TextWeights {
  /** A norm's scale, in its stored dtype. */
  vector(b: Builder, name: string): Value;
  /** `<name>.weight`, `<name>.bias` where the architecture has one, and the scale of an fp8 weight. */
  linear(b: Builder, name: string): LinearParams;
}

/** @param names single-file name → name in the file. Errors (AppError TEXT_TENSOR_MISSING, TEXT_DTYPE) are thrown when a graph is built. */
export function textWeights(file: WeightFile, names: ReadonlyMap<string, string>): TextWeights {
  const entry = (name: string) => file.tensors.get(names.get(name) ?? "");
  const value = (b: Builder, name: string): Value => {
    const found = entry(name);
    if (!found)
      throw new AppError("TEXT_TENSOR_MISSING", `${file.name} has no ${name}`, { hint: "the file is incomplete: download it again" });
    if (!isFloat(found.dtype) && !found.dtype.startsWith("float8"))
      throw new AppError("TEXT_DTYPE", `${name} of ${file.name} is stored as ${found.dtype}, a packing this program does not read`, {
        hint: "use the bf16 or the fp8_scaled file",
      });
    return b.weight(`text.${name}`, found.dtype, found.shape, found.source);
  };
  return {
    vector: value,
    linear(b, name) {
      // Old ComfyUI files use scale_weight, newer ones weight_scale.
      const scale = [`${name}.scale_weight`, `${name}.weight_scale`].find((s) => names.has(s));
      return {
        weight: value(b, `${name}.weight`),
        bias: BIASED.test(name) ? value(b, `${name}.bias`) : null,
        scale: scale ? value(b, scale) : null,
      };
    },
  };
}
