import { expect, test } from "vitest";
import { randomSource } from "./random.ts";

test("streams of neighbouring seeds share no numbers, at any distance", () => {
  const drawn = new Map<number, number>();
  for (let seed = -50; seed < 50; seed++) {
    const rng = randomSource(seed);
    for (let i = 0; i < 200; i++) {
      const x = rng.uniform();
      expect(drawn.get(x) ?? seed).toBe(seed);
      drawn.set(x, seed);
    }
  }
});

test("numbers of neighbouring seeds are not correlated", () => {
  const n = 20_000;
  const [a, b] = [randomSource(7), randomSource(8)].map((rng) => [...rng.normals(new Float32Array(n))]);
  for (let lag = -3; lag <= 3; lag++) {
    let sum = 0;
    for (let i = 3; i < n - 3; i++) sum += (a?.[i] ?? 0) * (b?.[i + lag] ?? 0);
    // Four standard errors.
    expect(Math.abs(sum / n)).toBeLessThan(4 / Math.sqrt(n));
  }
});

test("a saved state goes on where it was", () => {
  const rng = randomSource(3);
  rng.normal();
  const { state } = rng;
  const next = [rng.uniform(), rng.normal(), rng.below(1000)];
  const other = randomSource(99);
  other.state = state;
  expect([other.uniform(), other.normal(), other.below(1000)]).toEqual(next);
});

test("moments of the normal numbers", () => {
  const x = randomSource(1).normals(new Float32Array(100_000));
  const mean = x.reduce((s, v) => s + v, 0) / x.length;
  const moment = (k: number) => x.reduce((s, v) => s + (v - mean) ** k, 0) / x.length;
  expect(mean).toBeCloseTo(0, 1.5);
  expect(moment(2)).toBeCloseTo(1, 1.5);
  expect(moment(3)).toBeCloseTo(0, 1);
  expect(moment(4)).toBeCloseTo(3, 0.7);
});
