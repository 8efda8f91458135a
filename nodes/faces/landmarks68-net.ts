import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";
import { subtractFaceMean } from "./face-mean.ts";
import type { FaceWeights } from "./face-weights.ts";

/**
 * face-api's 68-point landmark network: four densely connected blocks of depthwise separable convolutions.
 * @param x [1, 3, 112, 112] RGB in 0..1.
 * @returns [1, 136]: x0, y0, x1, y1 … in 0..1 of the crop.
 */
export function buildLandmarks68(b: Builder, w: FaceWeights, x: Value): Value {
  const separable = (y: Value, name: string, to: number, stride: number): Value => {
    const from = y.shape[1] ?? 0;
    const z = b.conv(y, w.value(b, `${name}.depthwise_filter`, [from, 1, 3, 3]), null, {
      group: from,
      strides: [stride, stride],
      // TensorFlow's SAME: an odd pixel of padding goes to the end.
      pads: stride === 2 ? [0, 0, 1, 1] : [1, 1, 1, 1],
    });
    return b.conv(z, w.value(b, `${name}.pointwise_filter`, [to, from, 1, 1]), w.value(b, `${name}.bias`, [to]));
  };
  const first = (y: Value): Value => {
    const filters = w.value(b, "dense0.conv0.filters", [32, 3, 3, 3]);
    return b.conv(y, filters, w.value(b, "dense0.conv0.bias", [32]), { strides: [2, 2], pads: [0, 0, 1, 1] });
  };
  const dense = (y: Value, name: string, to: number): Value => {
    const a = b.relu(name === "dense0" ? first(y) : separable(y, `${name}.conv0`, to, 2));
    const c = b.add(a, separable(a, `${name}.conv1`, to, 1));
    const d = b.add(c, separable(b.relu(c), `${name}.conv2`, to, 1));
    const e = b.add(d, separable(b.relu(d), `${name}.conv3`, to, 1));
    return b.relu(e);
  };
  let h = subtractFaceMean(b, x);
  for (const [name, channels] of [
    ["dense0", 32],
    ["dense1", 64],
    ["dense2", 128],
    ["dense3", 256],
  ] as const)
    h = dense(h, name, channels);
  // The published 7×7 average pool sees exactly the 7×7 that is left.
  return b.add(b.matmul(b.mean(h, [2, 3], false), w.value(b, "fc.weights", [256, 136])), w.value(b, "fc.bias", [136]));
}
