import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";
import { subtractFaceMean } from "./face-mean.ts";
import type { FaceWeights } from "./face-weights.ts";
import { padEnd } from "./pad-end.ts";

/** Residual layers in order; `_down` ones halve the picture. */
const LAYERS: readonly (readonly [name: string, channels: number])[] = [
  ["conv32_1", 32],
  ["conv32_2", 32],
  ["conv32_3", 32],
  ["conv64_down", 64],
  ["conv64_1", 64],
  ["conv64_2", 64],
  ["conv64_3", 64],
  ["conv128_down", 128],
  ["conv128_1", 128],
  ["conv128_2", 128],
  ["conv256_down", 256],
  ["conv256_1", 256],
  ["conv256_2", 256],
  ["conv256_down_out", 256],
];

/**
 * dlib's face recognition ResNet (29 convolutions), as face-api carries it.
 * @param x [N, 3, 150, 150] RGB in 0..1: aligned chips.
 * @returns [N, 128], not normalised.
 */
export function buildDlib128(b: Builder, w: FaceWeights, x: Value): Value {
  /** A convolution followed by dlib's affine layer, folded into its filters and bias. */
  const conv = (y: Value, name: string, to: number, kernel: number, stride: number): Value => {
    const from = y.shape[1] ?? 0;
    const scale = w.value(b, `${name}.scale.weights`, [to]);
    const filters = b.mul(w.value(b, `${name}.conv.filters`, [to, from, kernel, kernel]), b.reshape(scale, [to, 1, 1, 1]));
    const bias = b.add(b.mul(w.value(b, `${name}.conv.bias`, [to]), scale), w.value(b, `${name}.scale.biases`, [to]));
    const pad = stride === 1 ? 1 : 0;
    return b.conv(y, filters, bias, { strides: [stride, stride], pads: [pad, pad, pad, pad] });
  };
  const residual = (y: Value, name: string, to: number): Value => {
    const down = name.includes("_down");
    const z = conv(b.relu(conv(y, `${name}.conv1`, to, 3, down ? 2 : 1)), `${name}.conv2`, to, 3, 1);
    if (!down) return b.relu(b.add(z, y));
    const skip = b.one("AveragePool", [y], { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] });
    const [, from = 0, size = 0] = skip.shape;
    const short = size - (z.shape[2] ?? 0);
    return b.relu(b.add(padEnd(b, z, [0, 0, short, short]), padEnd(b, skip, [0, to - from, 0, 0])));
  };
  const stem = b.relu(conv(subtractFaceMean(b, x), "conv32_down", 32, 7, 2));
  let h = b.one("MaxPool", [stem], { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 0, 0] });
  for (const [name, channels] of LAYERS) h = residual(h, name, channels);
  return b.matmul(b.mean(h, [2, 3], false), w.value(b, "fc", [256, 128]));
}
