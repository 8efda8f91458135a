import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { FaceWeights } from "./face-weights.ts";

/** Channels after each of the thirteen blocks of MobileNet (Howard et al. 2017, table 1). */
const CHANNELS: readonly number[] = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];
/** Means of blue, green and red of 0..255 the trunk was trained with. */
const MEAN: readonly number[] = [103.939, 116.779, 123.68];
/** Blocks that halve the picture. */
const STRIDED: readonly number[] = [1, 3, 5, 11];

/**
 * The trunk of HSE's FaceRes (Savchenko, PeerJ CS 2019, 197): MobileNet v1 trained to tell people apart, without its heads for age and gender.
 * @param x [N, 3, 224, 224] RGB in 0..1: aligned crops.
 * @returns [N, 1024], all ≥ 0, not normalised.
 */
export function buildFaceRes(b: Builder, w: FaceWeights, x: Value): Value {
  const relu6 = (y: Value): Value => b.one("Clip", [y], { min: 0, max: 6 });
  // TensorFlow's SAME: an odd pixel of padding goes to the end.
  const padsOf = (stride: number): readonly number[] => (stride === 2 ? [0, 0, 1, 1] : [1, 1, 1, 1]);
  let channels = 32;
  const bgr = b.concat([...b.split(x, [1, 1, 1], 1)].reverse(), 1);
  const input = b.sub(b.mul(bgr, 255), b.constant(f32([1, 3, 1, 1], MEAN)));
  const stem = w.value(b, "stem.weight", [channels, 3, 3, 3]);
  let h = relu6(b.conv(input, stem, w.value(b, "stem.bias", [channels]), { strides: [2, 2], pads: padsOf(2) }));
  CHANNELS.forEach((to, i) => {
    const stride = STRIDED.includes(i) ? 2 : 1;
    const depthwise = w.value(b, `blocks.${i}.depthwise.weight`, [channels, 1, 3, 3]);
    const options = { group: channels, strides: [stride, stride], pads: padsOf(stride) };
    h = relu6(b.conv(h, depthwise, w.value(b, `blocks.${i}.depthwise.bias`, [channels]), options));
    const pointwise = w.value(b, `blocks.${i}.pointwise.weight`, [to, channels, 1, 1]);
    h = relu6(b.conv(h, pointwise, w.value(b, `blocks.${i}.pointwise.bias`, [to])));
    channels = to;
  });
  return b.mean(h, [2, 3], false);
}
