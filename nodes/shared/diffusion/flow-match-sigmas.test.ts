import { expect, test } from "vitest";
import { flowMatchSigmas, type SchedulerConfig, shiftMu } from "./flow-match-sigmas.ts";

const CONFIG: SchedulerConfig = { baseSeqLen: 256, maxSeqLen: 8192, baseShift: 0.5, maxShift: 0.9, shiftTerminal: 0.02 };

test("μ is linear between the two lengths of the configuration, and beyond them", () => {
  expect(shiftMu(256, CONFIG)).toBeCloseTo(0.5, 12);
  expect(shiftMu(8192, CONFIG)).toBeCloseTo(0.9, 12);
  expect(shiftMu(4224, CONFIG)).toBeCloseTo(0.7, 12);
  expect(shiftMu(16_128, CONFIG)).toBeCloseTo(1.3, 12);
});

test("σ begins at 1, is shifted by e^μ, ends stretched at the terminal, and then 0", () => {
  const sigmas = flowMatchSigmas(4, 256, CONFIG);
  const shift = Math.exp(0.5);
  const plain = [1, 0.75, 0.5, 0.25].map((s) => shift / (shift + 1 / s - 1));
  const stretch = (1 - (plain[3] ?? 0)) / (1 - 0.02);
  const expected = [...plain.map((s) => 1 - (1 - s) / stretch), 0];
  expect(sigmas).toHaveLength(5);
  sigmas.forEach((s, i) => {
    expect(s).toBeCloseTo(expected[i] ?? Number.NaN, 6);
  });
  expect(sigmas[3]).toBeCloseTo(0.02, 6);
  const unstretched = flowMatchSigmas(4, 256, { ...CONFIG, shiftTerminal: null });
  expect(unstretched[3]).toBeCloseTo(plain[3] ?? 0, 6);
  expect(flowMatchSigmas(1, 256, CONFIG)).toEqual([1, 0]);
});
