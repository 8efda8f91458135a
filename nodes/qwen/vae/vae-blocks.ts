// The layers of the Qwen-Image (Wan 2.1) VAE at T = 1, where every causal 3-D convolution is a 2-D one.
import { AppError } from "../../../engine/base/errors.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { attention } from "../../../engine/nn/attention.ts";
import { sizeOf } from "../../../engine/tensor/shape.ts";

/** Weight of the graph by its diffusers name. */
export type VaeWeight = (b: Builder, name: string) => Value;

/** Convolution `<name>.weight` [O,I,k,k] with its bias. `pads` = [top, left, bottom, right]. */
export function conv2d(b: Builder, weight: VaeWeight, name: string, x: Value, pads: readonly number[], stride = 1): Value {
  return b.conv(x, weight(b, `${name}.weight`), weight(b, `${name}.bias`), { pads, strides: [stride, stride] });
}

const SAME = [1, 1, 1, 1];
const NONE = [0, 0, 0, 0];

/** x / max(‖x‖₂ over channels, 1e-12) · √C · gamma, [B,C,H,W]. The clamp is on the square: its gradient is finite at x = 0. */
export function channelRmsNorm(b: Builder, weight: VaeWeight, name: string, x: Value): Value {
  const gamma = weight(b, `${name}.gamma`);
  // One number alone would be repeated.
  if (sizeOf(gamma.shape) !== x.shape[1]) throw new AppError("VAE_LAYOUT", `${name}.gamma is [${gamma.shape}] for ${x.shape[1]} channels`);
  const square = b.max(b.sum(b.mul(x, x), [1]), 1e-24);
  return b.mul(b.div(x, b.sqrt(square)), b.mul(gamma, Math.sqrt(x.shape[1] ?? 1)));
}

/** Two (norm, SiLU, 3×3) and a shortcut, 1×1 where the channels change. */
export function residualBlock(b: Builder, weight: VaeWeight, name: string, x: Value, hasShortcut: boolean): Value {
  const h = conv2d(b, weight, `${name}.conv1`, b.silu(channelRmsNorm(b, weight, `${name}.norm1`, x)), SAME);
  const y = conv2d(b, weight, `${name}.conv2`, b.silu(channelRmsNorm(b, weight, `${name}.norm2`, h)), SAME);
  return b.add(y, hasShortcut ? conv2d(b, weight, `${name}.conv_shortcut`, x, NONE) : x);
}

/** Halves H and W: zero padding on the right and the bottom only, 3×3 with stride 2. */
export function downsample(b: Builder, weight: VaeWeight, name: string, x: Value): Value {
  return conv2d(b, weight, `${name}.resample.1`, x, [0, 0, 1, 1], 2);
}

/** Doubles H and W (nearest), then 3×3. */
export function upsample(b: Builder, weight: VaeWeight, name: string, x: Value): Value {
  const [n = 1, c = 1, h = 1, w = 1] = x.shape;
  const doubled = b.one("Resize", [x], {
    sizes: [n, c, 2 * h, 2 * w],
    mode: "nearest",
    coordinate_transformation_mode: "asymmetric",
    nearest_mode: "floor",
  });
  return conv2d(b, weight, `${name}.resample.1`, doubled, SAME);
}

/** Single-head self-attention over the H·W positions, with a residual. */
export function selfAttention(b: Builder, weight: VaeWeight, name: string, x: Value): Value {
  const [n = 1, c = 1, h = 1, w = 1] = x.shape;
  const qkv = conv2d(b, weight, `${name}.to_qkv`, channelRmsNorm(b, weight, `${name}.norm`, x), NONE);
  const flat = b.reshape(qkv, [n, 3 * c, h * w]);
  const third = (i: number) => b.transpose(b.slice(flat, 1, i * c, (i + 1) * c), [0, 2, 1]);
  const attended = attention(b, third(0), third(1), third(2));
  const out = b.reshape(b.transpose(attended, [0, 2, 1]), [n, c, h, w]);
  return b.add(x, conv2d(b, weight, `${name}.proj`, out, NONE));
}
