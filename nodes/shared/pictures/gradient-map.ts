import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Image } from "../contracts/data.ts";

/** Share of the pixels that are at least white: a few spikes would leave the rest black. */
const WHITE = 0.002;

/**
 * Strength of a gradient as a grey picture [1, H, W, 3]: √(‖∂reward/∂pixel‖ / white), the root because most of it is faint.
 * All black when the gradient is zero.
 * @param gradient [1, H, W, 3]
 */
export function gradientMap(gradient: Float32Array, height: number, width: number): Image {
  const strength = new Float64Array(height * width);
  for (let i = 0; i < strength.length; i++)
    strength[i] = Math.hypot(gradient[3 * i] ?? 0, gradient[3 * i + 1] ?? 0, gradient[3 * i + 2] ?? 0);
  const sorted = strength.slice().sort();
  const white = sorted[Math.floor((1 - WHITE) * (sorted.length - 1))] || (sorted.at(-1) ?? 0);
  const out = new Float32Array(3 * strength.length);
  for (let i = 0; i < strength.length; i++) out.fill(white > 0 ? Math.sqrt(Math.min(1, (strength[i] ?? 0) / white)) : 0, 3 * i, 3 * i + 3);
  return f32([1, height, width, 3], out);
}
