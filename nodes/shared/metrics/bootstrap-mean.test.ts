import { expect, test } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import { bootstrapMean } from "./bootstrap-mean.ts";

const normals = (n: number, seed: number, middle = 0) => [...randomSource(seed).normals(new Float32Array(n))].map((x) => x + middle);

test("the interval of many independent values is that of the central limit theorem", () => {
  const values = normals(400, 1, 3);
  const mean = values.reduce((a, b) => a + b, 0) / 400;
  const error = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 399 / 400);
  const interval = bootstrapMean([values]) ?? expect.fail();
  expect(interval.mean).toBeCloseTo(mean, 9);
  expect((interval.mean - interval.low) / (1.96 * error)).toBeCloseTo(1, 0.9);
  expect((interval.high - interval.mean) / (1.96 * error)).toBeCloseTo(1, 0.9);
});

test("it covers the truth about 95 times in 100", () => {
  let covered = 0;
  for (let k = 0; k < 200; k++) {
    const { low, high } = bootstrapMean([normals(40, 1000 + k)], { resamples: 400 }) ?? expect.fail();
    if (low <= 0 && high >= 0) covered++;
  }
  expect(covered).toBeGreaterThanOrEqual(180);
  expect(covered).toBeLessThanOrEqual(198);
});

test("trainings that differ widen it: their scenes are not independent", () => {
  const same = [normals(50, 1), normals(50, 2), normals(50, 3)];
  const apart = [normals(50, 1, -1), normals(50, 2, 0), normals(50, 3, 1)];
  const width = (groups: readonly (readonly number[])[]) => {
    const { low, high } = bootstrapMean(groups) ?? expect.fail();
    return high - low;
  };
  expect(width(apart)).toBeGreaterThan(2 * width(same));
  expect(width([apart.flat()])).toBeLessThan(width(apart));
});

test("a value that is not finite is refused", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(() =>
      bootstrapMean([
        [1, 2],
        [3, bad],
      ]),
    ).toThrow(/not finite/);
});

test("one value is its own interval, none has none, and a seed gives the same one", () => {
  expect(bootstrapMean([[2]])).toEqual({ mean: 2, low: 2, high: 2 });
  expect(bootstrapMean([[], []])).toBeUndefined();
  expect(bootstrapMean([normals(9, 1)], { seed: 4 })).toEqual(bootstrapMean([normals(9, 1)], { seed: 4 }));
});

test("groups of one value count, empty ones do not", () => {
  const { mean, low, high } = bootstrapMean([[1], [], [2], [6]], { resamples: 500 }) ?? { mean: 0, low: 0, high: 0 };
  expect(mean).toBe(3);
  expect(low).toBeLessThan(2);
  expect(high).toBeGreaterThan(4);
});
