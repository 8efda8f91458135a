import { describe, expect, it } from "vitest";
import { randomSource } from "../../engine/base/random.ts";
import { f32, type Tensor } from "../../engine/tensor/tensor.ts";
import { detectorLevels } from "./detector-levels.ts";
import { decodeScrfd } from "./scrfd-decode.ts";

function decode(tensors: readonly Tensor<"float32">[], size: number, minScore: number) {
  const levels = detectorLevels(tensors, size);
  if (!levels) throw new Error("no pyramid");
  return decodeScrfd(levels, size, minScore);
}

const SIZE = 64;
const STRIDES = [8, 16, 32] as const;

/** Outputs of an imaginary SCRFD that sees one face at one anchor of one stride; values run in the opposite direction of the decoder. */
function outputs(stride: number, row: number, column: number, anchor: number, batched: boolean, points: boolean): Tensor<"float32">[] {
  const levels = STRIDES.map((s) => {
    const n = 2 * (SIZE / s) ** 2;
    const [scores, boxes, offsets] = [new Float32Array(n), new Float32Array(4 * n), new Float32Array(10 * n)];
    if (s === stride) {
      const i = (row * (SIZE / s) + column) * 2 + anchor;
      const [x, y] = [column * s, row * s];
      scores[i] = 0.8;
      boxes.set(
        [x - 10, y - 12, 30 - x, 40 - y].map((d) => d / s),
        4 * i,
      );
      offsets.set(
        [15, 20, 25, 21, 20, 26, 16, 31, 24, 32].map((p, k) => (p - (k % 2 ? y : x)) / s),
        10 * i,
      );
    }
    const shape = (width: number): number[] => (batched ? [1, n, width] : [n, width]);
    return [f32(shape(1), scores), f32(shape(4), boxes), f32(shape(10), offsets)];
  });
  const kinds = points ? [0, 1, 2] : [0, 1];
  return kinds.flatMap((kind) => levels.flatMap((level) => level[kind] ?? []));
}

describe("decodeScrfd", () => {
  it.each([
    [8, 3, 2, 0, false, true],
    [16, 1, 1, 1, true, true],
    [32, 0, 1, 1, false, false],
  ] as const)("finds the face at stride %i, cell (%i, %i), anchor %i", (stride, row, column, anchor, batched, points) => {
    const all = outputs(stride, row, column, anchor, batched, points);
    const shuffled = [...all].sort(() => (randomSource(all.length).uniform() < 0.5 ? -1 : 1));
    for (const tensors of [all, [...all].reverse(), shuffled]) {
      const answers = decode(tensors, SIZE, 0.5);
      expect(answers).toHaveLength(1);
      expect(answers[0]?.score).toBeCloseTo(0.8, 6);
      [10, 12, 30, 40].forEach((v, i) => {
        expect(answers[0]?.box[i]).toBeCloseTo(v, 4);
      });
      const expected = [15, 20, 25, 21, 20, 26, 16, 31, 24, 32];
      if (points) expect(answers[0]?.points?.flat()).toEqual(expected.map((p) => expect.closeTo(p, 4)));
      else expect(answers[0]?.points).toBeUndefined();
    }
  });

  it("drops what is not sure enough or not a number", () => {
    const all = outputs(8, 0, 0, 0, false, true);
    expect(decode(all, SIZE, 0.81)).toEqual([]);
    all[0]?.data.fill(Number.NaN);
    expect(decode(all, SIZE, 0.1)).toEqual([]);
  });

  it("knows the outputs of another model", () => {
    expect(detectorLevels([f32([1, 512], new Float32Array(512))], SIZE)).toBeUndefined();
    expect(detectorLevels(outputs(8, 0, 0, 0, false, true).slice(1), SIZE)).toBeUndefined();
    expect(detectorLevels(outputs(8, 0, 0, 0, false, true), 96)).toBeUndefined();
    expect(detectorLevels([], SIZE)).toBeUndefined();
  });
});
