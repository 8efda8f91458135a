import { expect, it } from "vitest";
import { f32 } from "../../engine/tensor/tensor.ts";
import { decodeRetinaFace, retinaFaceAnchors } from "./retinaface-decode.ts";

const SIZE = 64;

/** A face at anchor `n` (stride, side and centre told by the test), coded the other way round as in the decoder. */
function outputs(n: number, side: number, [x, y]: readonly [number, number], score: number, isLogit: boolean) {
  const count = retinaFaceAnchors(SIZE);
  const [boxes, scores, points] = [new Float32Array(4 * count), new Float32Array(2 * count), new Float32Array(10 * count)];
  for (let i = 0; i < count; i++) scores[2 * i] = isLogit ? 3 : 1;
  boxes.set([(30 - x) / side / 0.1, (26 - y) / side / 0.1, Math.log(20 / side) / 0.2, Math.log(28 / side) / 0.2], 4 * n);
  scores.set(isLogit ? [1, 1 + Math.log(score / (1 - score))] : [1 - score, score], 2 * n);
  points.set(
    [26, 20, 34, 21, 30, 25, 27, 31, 33, 32].map((p, k) => (p - (k % 2 ? y : x)) / side / 0.1),
    10 * n,
  );
  return [f32([1, count, 4], boxes), f32([1, count, 2], scores), f32([1, count, 10], points)] as const;
}

// 64 pixels: 8 × 8 cells of stride 8, 4 × 4 of 16, 2 × 2 of 32, two anchors each.
it.each([
  ["stride 8, cell (3, 4), the smaller", 2 * (3 * 8 + 4), 16, [36, 28]],
  ["stride 16, cell (1, 2), the larger", 128 + 2 * (4 + 2) + 1, 128, [40, 24]],
  ["stride 32, cell (1, 0), the smaller", 128 + 32 + 2 * 2, 256, [16, 48]],
] as const)("finds the face of anchor %s", (_, n, side, centre) => {
  expect(retinaFaceAnchors(SIZE)).toBe(168);
  for (const isLogit of [false, true]) {
    const [boxes, scores, points] = outputs(n, side, centre, 0.8, isLogit);
    const [answer, ...others] = decodeRetinaFace(boxes, scores, points, SIZE, 0.5);
    expect(others).toEqual([]);
    expect(answer?.score).toBeCloseTo(0.8, 5);
    expect(answer?.box).toEqual([20, 12, 40, 40].map((v) => expect.closeTo(v, 3)));
    expect(answer?.points?.flat()).toEqual([26, 20, 34, 21, 30, 25, 27, 31, 33, 32].map((v) => expect.closeTo(v, 3)));
    expect(decodeRetinaFace(boxes, scores, points, SIZE, 0.81)).toEqual([]);
  }
});
