import { expect, it } from "vitest";
import { f32, type Tensor } from "../../engine/tensor/tensor.ts";
import { detectorLevels } from "./detector-levels.ts";
import { decodeYuNet } from "./yunet-decode.ts";

const SIZE = 64;

/** Outputs of an imaginary YuNet that sees one face in one cell; values run in the opposite direction of the decoder. */
function outputs(stride: number, row: number, column: number): Tensor<"float32">[] {
  const levels = [8, 16, 32].map((s) => {
    const n = (SIZE / s) ** 2;
    const [cls, obj, boxes, points] = [new Float32Array(n), new Float32Array(n), new Float32Array(4 * n), new Float32Array(10 * n)];
    if (s === stride) {
      const i = row * (SIZE / s) + column;
      cls[i] = 0.9;
      obj[i] = 0.4;
      // A face of 20 × 28 pixels round (22, 26).
      boxes.set([22 / s - column, 26 / s - row, Math.log(20 / s), Math.log(28 / s)], 4 * i);
      points.set(
        [18, 20, 26, 21, 22, 25, 19, 31, 25, 32].map((p, k) => p / s - (k % 2 ? row : column)),
        10 * i,
      );
    }
    return [f32([1, n, 1], cls), f32([1, n, 1], obj), f32([1, n, 4], boxes), f32([1, n, 10], points)];
  });
  return [0, 1, 2, 3].flatMap((kind) => levels.flatMap((level) => level[kind] ?? []));
}

it.each([
  [8, 3, 2],
  [16, 1, 1],
  [32, 0, 0],
])("finds the face at stride %i, cell (%i, %i)", (stride, row, column) => {
  for (const tensors of [outputs(stride, row, column), outputs(stride, row, column).reverse()]) {
    const [answer, ...others] = decodeYuNet(detectorLevels(tensors, SIZE) ?? [], SIZE, 0.5);
    expect(others).toEqual([]);
    // The geometric mean of 0.9 and 0.4.
    expect(answer?.score).toBeCloseTo(0.6, 6);
    expect(answer?.box).toEqual([12, 12, 32, 40].map((v) => expect.closeTo(v, 4)));
    expect(answer?.points?.flat()).toEqual([18, 20, 26, 21, 22, 25, 19, 31, 25, 32].map((v) => expect.closeTo(v, 4)));
  }
  expect(decodeYuNet(detectorLevels(outputs(stride, row, column), SIZE) ?? [], SIZE, 0.61)).toEqual([]);
});
