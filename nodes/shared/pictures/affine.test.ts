import { describe, expect, it } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import type { Point } from "../contracts/data.ts";
import { type Affine, applyAffine, invertAffine, scaleOfAffine, similarityTransform } from "./affine.ts";

const rng = randomSource(7);
const points = (n: number): Point[] => Array.from({ length: n }, () => [rng.normal() * 50 + 100, rng.normal() * 50 + 80]);
const squared = (m: Affine, from: readonly Point[], to: readonly Point[]): number =>
  from.reduce((sum, p, i) => {
    const [x, y] = applyAffine(m, p);
    const [u, v] = to[i] ?? [0, 0];
    return sum + (x - u) ** 2 + (y - v) ** 2;
  }, 0);

describe("similarityTransform", () => {
  it("recovers a rotation, scale and shift exactly", () => {
    const truth: Affine = [0.6 * 1.7, -0.8 * 1.7, 12, 0.8 * 1.7, 0.6 * 1.7, -5];
    const from = points(5);
    const found = similarityTransform(
      from,
      from.map((p) => applyAffine(truth, p)),
    );
    truth.forEach((x, i) => {
      expect(found[i]).toBeCloseTo(x, 9);
    });
    expect(scaleOfAffine(found)).toBeCloseTo(1.7, 9);
  });

  it("is the least-squares one: every nudged similarity is worse", () => {
    for (let trial = 0; trial < 20; trial++) {
      const [from, to] = [points(5), points(5)];
      const best = similarityTransform(from, to);
      const error = squared(best, from, to);
      for (const [da, db, dx, dy] of [
        [1e-3, 0, 0, 0],
        [-1e-3, 0, 0, 0],
        [0, 1e-3, 0, 0],
        [0, -1e-3, 0, 0],
        [0, 0, 0.1, 0],
        [0, 0, 0, -0.1],
      ] as const) {
        const [a, , tx, b, , ty] = best;
        expect(squared([a + da, -b - db, tx + dx, b + db, a + da, ty + dy], from, to)).toBeGreaterThan(error);
      }
    }
  });

  it("refuses points that coincide or are not finite", () => {
    const same: Point[] = [
      [3, 4],
      [3, 4],
    ];
    const far: Point[] = [
      [0, 0],
      [1, 1],
    ];
    expect(() => similarityTransform(same, far)).toThrow(/distinct/);
    expect(() => similarityTransform(far, same)).toThrow(/distinct/);
    expect(() => similarityTransform([[Number.NaN, 0], ...far.slice(1)], far)).toThrow(/finite/);
    expect(() => similarityTransform(far.slice(1), far.slice(1))).toThrow(/two pairs/);
  });
});

it("inverts", () => {
  const m: Affine = [2, -1, 5, 0.5, 3, -7];
  expect(applyAffine(invertAffine(m), applyAffine(m, [11, -13]))).toEqual([expect.closeTo(11, 9), expect.closeTo(-13, 9)]);
  expect(() => invertAffine([1, 2, 0, 2, 4, 0])).toThrow(/no inverse/);
});
