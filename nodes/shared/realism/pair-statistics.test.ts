import { expect, test } from "vitest";
import { auc, pairAccuracy, temperatureOf, wilson } from "./pair-statistics.ts";

test("Wilson's interval ends where a true share would lie 1.96 standard errors from what was seen", () => {
  for (const [hits, count] of [
    [8, 10],
    [1, 10],
    [2.5, 7],
    [400, 900],
  ] as const) {
    const { value, low, high, count: of } = wilson(hits, count);
    expect([value, of]).toEqual([hits / count, count]);
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
    for (const p of [low, high]) expect(Math.abs(value - p) / Math.sqrt((p * (1 - p)) / count)).toBeCloseTo(1.96, 9);
  }
});

test("Wilson's interval stays within 0 … 1, and nothing seen says nothing", () => {
  expect(wilson(0, 5).low).toBe(0);
  expect(wilson(5, 5).high).toBe(1);
  expect(wilson(0, 5).high).toBeCloseTo(1.96 ** 2 / (5 + 1.96 ** 2), 9);
  expect(wilson(0, 0)).toEqual({ value: Number.NaN, low: 0, high: 1, count: 0 });
});

test("a pair counts whole, half or not at all", () => {
  const pair = (win: number, lose: number) => ({ win, lose });
  expect(pairAccuracy([pair(2, 1), pair(1, 1), pair(1, 2), pair(0, 3)])).toEqual(wilson(1.5, 4));
  expect(pairAccuracy([])).toEqual(wilson(0, 0));
});

test("the area counts every positive against every negative; its error is Hanley and McNeil's", () => {
  const { value, low, high, count } = auc([3, 2, 0, 5, 1], [1, 2, -1]);
  // 3: all three; 2: two and a half; 0: one; 5: three; 1: one and a half.
  expect([value, count]).toEqual([11 / 15, 8]);
  const a = 11 / 15;
  const variance = (a * (1 - a) + 4 * (a / (2 - a) - a ** 2) + 2 * ((2 * a ** 2) / (1 + a) - a ** 2)) / 15;
  expect(low).toBeCloseTo(a - 1.96 * Math.sqrt(variance), 12);
  expect(high).toBe(1);
  expect(auc([1, 0, 0], [2, 1, 3, 3, 3])).toMatchObject({ value: 0.5 / 15, low: 0 });
  const wide = auc([1, 3, 5, 7, 9, 2, 4, 6], [0, 2, 4, 6, 8, 1, 3, 5]);
  expect(wide.high).toBeLessThan(1);
  expect(wide.high - wide.value).toBeCloseTo(wide.value - wide.low, 12);
});

test("an area of no positives or no negatives says nothing", () => {
  expect(auc([], [1, 2])).toEqual({ value: Number.NaN, low: 0, high: 1, count: 2 });
  expect(auc([1], [])).toEqual({ value: Number.NaN, low: 0, high: 1, count: 1 });
});

test("no other temperature explains the margins better", () => {
  for (const margins of [
    [1, 3, -0.5, 2],
    [0.1, 0.2, 0.1, -0.05, 0.3],
    [5, 30, 12, -1, 4, 4],
  ]) {
    const p = (margins.length + 1) / (margins.length + 2);
    const loss = (t: number) =>
      margins.reduce((s, x) => s - p * Math.log(1 / (1 + Math.exp(-x / t))) - (1 - p) * Math.log(1 - 1 / (1 + Math.exp(-x / t))), 0);
    const best = temperatureOf(margins);
    for (const other of [0.97, 0.999, 1.001, 1.03]) expect(loss(best)).toBeLessThanOrEqual(loss(best * other) + 1e-12);
  }
});

test("temperatures stay within e^−4 … e^4; without margins nothing is scaled", () => {
  expect(temperatureOf([-1, -2])).toBeCloseTo(Math.exp(4), 6);
  expect(temperatureOf([1e-9, 1e-9, 1e-9])).toBeCloseTo(Math.exp(-4), 6);
  expect(temperatureOf([])).toBe(1);
});
