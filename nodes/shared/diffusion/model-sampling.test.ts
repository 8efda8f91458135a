import { expect, test } from "vitest";
import { DEFAULT_FLUX_SHIFT, modelSampling } from "./model-sampling.ts";

test("ModelSamplingAuraFlow's σ: s·t/(1 + (s − 1)·t), 1000 of them, from 1/1000 to 1", () => {
  for (const shift of [1, 3, 0.5]) {
    const { table, sigma, id } = modelSampling(shift);
    expect([table.length, table[999], id]).toEqual([1000, 1, `flow-shift:${shift}`]);
    for (const i of [0, 1, 499, 998]) {
      const t = (i + 1) / 1000;
      const expected = (shift * t) / (1 + (shift - 1) * t);
      expect((table[i] ?? 0) / expected).toBeCloseTo(1, 6);
      expect(sigma(t)).toBe(table[i]);
    }
  }
});

test("without a shift ModelSamplingFlux's: e^1.15/(e^1.15 + 1/t − 1), 10000 of them", () => {
  const { table, id } = modelSampling();
  expect([table.length, table[9999], id, DEFAULT_FLUX_SHIFT]).toEqual([10_000, 1, "flow-shift:flux", 1.15]);
  for (const i of [0, 4999, 9998]) {
    const t = (i + 1) / 10_000;
    expect((table[i] ?? 0) / (Math.exp(1.15) / (Math.exp(1.15) + 1 / t - 1))).toBeCloseTo(1, 6);
  }
});

test("a shift that makes every σ 0, or is no number, is refused", () => {
  for (const shift of [0, -1, Number.NaN]) expect(() => modelSampling(shift)).toThrow(expect.objectContaining({ code: "SAMPLING_SHIFT" }));
});
