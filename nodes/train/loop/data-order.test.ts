import { expect, test } from "vitest";
import { exampleAt, streamOf } from "./data-order.ts";

test("each epoch visits every example once, in its own order", () => {
  const epoch = (e: number, seed = 3) => Array.from({ length: 11 }, (_, i) => exampleAt(seed, 11, e * 11 + i));
  const all = Array.from({ length: 11 }, (_, i) => i);
  for (let e = 0; e < 20; e++) expect([...epoch(e)].sort((a, b) => a - b)).toEqual(all);
  expect(epoch(0)).not.toEqual(epoch(1));
  expect(epoch(0)).not.toEqual(epoch(0, 4));
  expect(epoch(5)).toEqual(epoch(5));
});

test("the order is a fair shuffle", () => {
  const counts = [0, 0, 0, 0];
  for (let seed = 0; seed < 2000; seed++) {
    const first = exampleAt(seed, 4, 0);
    counts[first] = (counts[first] ?? 0) + 1;
  }
  for (const n of counts) expect(Math.abs(n - 500)).toBeLessThan(5 * Math.sqrt(500));
});

test("streams of different paths are different and uncorrelated", () => {
  const seen = new Map<bigint, string>();
  for (let a = 0; a < 5; a++)
    for (let step = 0; step < 200; step++)
      for (let k = 0; k < 4; k++) {
        const path = `${a},${step},${k}`;
        const { state } = streamOf(1, a, step, k);
        expect(seen.get(state), `${path} and another`).toBeUndefined();
        seen.set(state, path);
      }
  const n = 4000;
  const at = (...path: number[]) => streamOf(1, ...path).normals(new Float32Array(n));
  for (const [x, y] of [
    [at(2, 0, 0), at(2, 1, 0)],
    [at(2, 0, 0), at(2, 0, 1)],
    [at(2, 1, 0), at(3, 1, 0)],
  ] as const) {
    const correlation = x.reduce((sum, z, i) => sum + z * (y[i] ?? 0), 0) / n;
    expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(n));
  }
});
