import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { FaceWeights } from "./face-weights.ts";
import { padEnd } from "./pad-end.ts";

/** Blocks that halve the picture: stride 2 in the depthwise convolution, max pooling on the skip path. */
const STRIDED: readonly number[] = [7, 15, 23];
/** Blocks that double the channels (zeros on the skip path). */
const DOUBLING: readonly number[] = [15, 23];

/**
 * MediaPipe BlazeFace, the "back camera" network (Bazarevsky et al. 2019, full-range variant of 31 blocks).
 * @param x [1, 3, 256, 256] RGB in 0..1.
 * @returns `scores` [1, 896, 1] logits and `boxes` [1, 896, 16] offsets in pixels of 256; 512 anchors of the 16×16 grid, then 384 of the 8×8 grid.
 */
export function buildBlazeFace(b: Builder, w: FaceWeights, x: Value): { readonly scores: Value; readonly boxes: Value } {
  const pointwise = (y: Value, name: string, from: number, to: number): Value =>
    b.conv(y, w.value(b, `${name}.weight`, [to, from, 1, 1]), w.value(b, `${name}.bias`, [to]));
  const depthwise = (y: Value, name: string, channels: number, stride: number): Value =>
    b.conv(y, w.value(b, `${name}.weight`, [channels, 1, 3, 3]), null, {
      group: channels,
      strides: [stride, stride],
      // TensorFlow's SAME: an odd pixel of padding goes to the end.
      pads: stride === 2 ? [0, 0, 1, 1] : [1, 1, 1, 1],
    });
  const head = (y: Value, name: string, perAnchor: number, anchors: number): Value => {
    const [, channels = 0, size = 0] = y.shape;
    const z = b.transpose(pointwise(y, name, channels, anchors * perAnchor), [0, 2, 3, 1]);
    return b.reshape(z, [1, size * size * anchors, perAnchor]);
  };

  // A convolution that changes nothing. The runtime keeps a convolution's result in its blocked layout, in which it fuses the additions
  // that follow; it would convert a pooled picture back and forth in every block (a third of the time).
  const keep = (y: Value, n: number): Value =>
    b.conv(
      y,
      b.constant(
        f32(
          [n, n, 1, 1],
          Float32Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? 1 : 0)),
        ),
      ),
      null,
    );
  let channels = 24;
  const input = b.sub(b.mul(x, 2), 1);
  const stem = w.value(b, "stem.weight", [channels, 3, 5, 5]);
  let h = b.relu(b.conv(input, stem, w.value(b, "stem.bias", [channels]), { strides: [2, 2], pads: [1, 1, 2, 2] }));
  for (let i = 0; i < 31; i++) {
    const stride = STRIDED.includes(i) ? 2 : 1;
    const out = DOUBLING.includes(i) ? channels * 2 : channels;
    const y = pointwise(depthwise(h, `blocks.${i}.depthwise`, channels, stride), `blocks.${i}.pointwise`, channels, out);
    const skip = stride === 1 ? h : b.one("MaxPool", [h], { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] });
    h = b.relu(b.add(y, padEnd(b, skip, [0, out - channels, 0, 0])));
    if (stride === 2) h = keep(h, out);
    channels = out;
  }
  const last = b.relu(pointwise(depthwise(h, "final.depthwise", channels, 2), "final.pointwise", channels, channels));
  return {
    scores: b.concat([head(h, "classificators_1", 1, 2), head(last, "classificators_2", 1, 6)], 1),
    boxes: b.concat([head(h, "regressors_1", 16, 2), head(last, "regressors_2", 16, 6)], 1),
  };
}
