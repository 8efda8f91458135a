import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import { f32 } from "../tensor/tensor.ts";

/**
 * Sinusoidal embedding [cos, sin] of 1000·σ with periods up to 10000 (diffusers `get_timestep_embedding`, flip_sin_to_cos, shift 0).
 * @param sigma [B] float32
 * @param width number of channels, even
 * @returns [B, width]
 */
export function timestepEmbedding(b: Builder, sigma: Value, width: number): Value {
  const half = width / 2;
  const rate = Math.fround(-Math.log(10000));
  // Rounded where PyTorch rounds: angles reach 1000, and the last bit of a frequency is then 5e-5 of a radian.
  const frequencies = Float32Array.from({ length: half }, (_, i) => Math.exp(Math.fround(Math.fround(rate * i) / half)));
  const angles = b.mul(b.mul(b.reshape(sigma, [-1, 1]), b.constant(f32([1, half], frequencies))), 1000);
  return b.concat([b.one("Cos", [angles]), b.one("Sin", [angles])], 1);
}
