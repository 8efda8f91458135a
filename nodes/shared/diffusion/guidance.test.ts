import { expect, test } from "vitest";
import { cfg, cfgNorm, trueCfg } from "./guidance.ts";

const f = (...x: number[]) => Float32Array.from(x);

test("cfg goes beyond the conditional prediction", () => {
  expect(cfg(f(1, 2), f(0, 4), 2.5)).toEqual(f(2.5, -1));
});

test("cfgNorm shortens each pixel over the channels, never lengthens", () => {
  // Two channels of two pixels: pixel 0 is (3, 4) against (6, 8), pixel 1 is (1, 0) against (0.5, 0).
  const out = cfgNorm(1).apply(f(3, 1, 4, 0), f(6, 0.5, 8, 0), 2);
  [3, 0.5, 4, 0].forEach((x, i) => {
    expect(out[i]).toBeCloseTo(x, 5);
  });
  expect(cfgNorm(0.5).apply(f(3, 4), f(6, 8), 2)[0]).toBeCloseTo(1.5, 5);
  expect(cfgNorm(1).apply(f(1, 1), f(0, 0), 2)).toEqual(f(0, 0));
});

test("trueCfg gives each token the conditional length, longer or shorter", () => {
  const { v: out, factor } = trueCfg(f(3, 4, 1, 0), f(3, 0, 2, 0), 2, 2);
  const [x, y, z = 0] = out;
  expect(Math.hypot(x ?? 0, y ?? 0)).toBeCloseTo(5, 5);
  expect((y ?? 0) / (x ?? 1)).toBeCloseTo(8 / 3, 5);
  // 2 + 2·(1 − 2) = 0: nothing to scale.
  expect(z).toBe(0);
  expect(factor?.[0]).toBeCloseTo((2 * 5) / Math.hypot(3, 8), 5);
});
