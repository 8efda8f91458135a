import { expect, test } from "vitest";
import { adamWState, adamWStep, clipGradNorm, emaStep } from "./adamw.ts";
import { learningRate } from "./lr-schedule.ts";

test("two AdamW updates equal the formula worked by hand", () => {
  const p = new Map([["w", Float32Array.of(1, -2)]]);
  const state = adamWState(p);
  const options = { betas: [0.9, 0.99] as const, eps: 1e-8, weightDecay: 0.1 };
  adamWStep(p, new Map([["w", Float32Array.of(0.5, 0.25)]]), state, 0.01, options);
  // First update: m̂/√v̂ = sign(g), so each weight decays by 0.1 % and moves by lr.
  expect(p.get("w")?.[0]).toBeCloseTo(1 * 0.999 - 0.01, 6);
  expect(p.get("w")?.[1]).toBeCloseTo(-2 * 0.999 - 0.01, 6);
  adamWStep(p, new Map([["w", Float32Array.of(-0.5, 0)]]), state, 0.01, options);
  const m = 0.9 * 0.05 - 0.1 * 0.5;
  const v = 0.99 * 0.01 * 0.25 + 0.01 * 0.25;
  const moved = (1 * 0.999 - 0.01) * 0.999 - (0.01 / (1 - 0.81)) * (m / (Math.sqrt(v) / Math.sqrt(1 - 0.99 ** 2) + 1e-8));
  expect(p.get("w")?.[0]).toBeCloseTo(moved, 6);
});

test("clipping bounds the norm and reports the one before", () => {
  const g = new Map([
    ["a", Float32Array.of(3)],
    ["b", Float32Array.of(4)],
  ]);
  expect(clipGradNorm(g, 1)).toBeCloseTo(5, 12);
  expect(Math.hypot(g.get("a")?.[0] ?? 0, g.get("b")?.[0] ?? 0)).toBeCloseTo(1, 5);
  expect(clipGradNorm(g, 0)).toBeCloseTo(1, 5);
});

test("clipping leaves gradients below the bound as they are, to the bit, and none at all", () => {
  for (const [a, b, bound] of [
    [3e-3, 4e-3, 1],
    [0, 0, 1],
    [3, 4, 0],
    [3, 4, 10],
  ] as const) {
    const g = new Map([
      ["a", Float32Array.of(a)],
      ["b", Float32Array.of(b)],
    ]);
    expect(clipGradNorm(g, bound)).toBeCloseTo(Math.hypot(a, b), 6);
    expect([...g.values()].map((x) => x[0])).toEqual([a, b].map(Math.fround));
  }
});

test("a missing gradient is refused by name", () => {
  const p = new Map([["w", new Float32Array(2)]]);
  expect(() => adamWStep(p, new Map(), adamWState(p), 1)).toThrow(/parameter w/);
});

test("the average follows slowly", () => {
  const ema = new Map([["w", Float32Array.of(0)]]);
  emaStep(ema, new Map([["w", Float32Array.of(1)]]), 0.9);
  expect(ema.get("w")?.[0]).toBeCloseTo(0.1, 6);
});

test("learning rates: warm-up, plateau, decay", () => {
  expect(learningRate("constant", 1, 0, 10, 4)).toBe(0.25);
  expect(learningRate("constant", 1, 9, 10, 4)).toBe(1);
  expect(learningRate("linear", 1, 7, 10, 4)).toBeCloseTo(0.5, 12);
  expect(learningRate("cosine", 1, 7, 10, 4)).toBeCloseTo(0.5, 12);
  expect(learningRate("cosine", 1, 10, 10, 0)).toBeCloseTo(0, 12);
});
