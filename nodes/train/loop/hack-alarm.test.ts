import { expect, test } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import { hackAlarm } from "./hack-alarm.ts";

/** @param series [reward, watched] of each sample, by evaluation */
const history = (...series: readonly (readonly (readonly [number, number])[])[]) =>
  series.map((rows, k) => ({ step: 10 * k, rows: rows.map(([reward, watched]) => ({ reward, watched })) }));
const start = [
  [0, 5],
  [1, 6],
  [2, 4],
] as const;

test("both evaluations must show the rise and the fall, beyond the samples' noise", () => {
  const hacked = [
    [0.5, 4],
    [1.6, 5.2],
    [2.5, 3.1],
  ] as const;
  expect(hackAlarm(history(start, hacked, hacked))).toMatch(
    /being fooled: it rises \(1\.00 → 1\.53\).*falls \(5\.00 → 4\.10\) on the same 3 samples, between update 0 and 20/,
  );
  expect(hackAlarm(history(start, hacked))).toBeUndefined();
  expect(hackAlarm(history(start, start, hacked))).toBeUndefined();
  const noisy = [
    [0.5, 1],
    [1.6, 8.9],
    [2.5, 4.9],
  ] as const;
  expect(hackAlarm(history(start, noisy, noisy))).toBeUndefined();
  const better = [
    [0.5, 6],
    [1.6, 7.2],
    [2.5, 5.1],
  ] as const;
  expect(hackAlarm(history(start, better, better))).toBeUndefined();
  const worse = [
    [-0.5, 4],
    [0.6, 5.2],
    [1.5, 3.1],
  ] as const;
  expect(hackAlarm(history(start, worse, worse))).toBeUndefined();
});

/** Whether numbers rise from one to the other by more than two standard errors of the paired differences. */
function rises(before: readonly number[], after: readonly number[]): boolean {
  const d = after.map((x, i) => x - (before[i] ?? Number.NaN));
  const mean = d.reduce((a, x) => a + x, 0) / d.length;
  const sd = Math.sqrt(d.reduce((a, x) => a + (x - mean) ** 2, 0) / (d.length - 1));
  return mean / (sd / Math.sqrt(d.length)) > 2;
}

test("two standard errors, of pairs of the same samples, in each of the last two evaluations: against the definition, at random", () => {
  const rng = randomSource(5);
  let alarms = 0;
  for (let n = 0; n < 2000; n++) {
    const [count, trend] = [3 + rng.below(4), 0.2 + rng.uniform()];
    const base = Array.from({ length: count }, () => [5 * rng.normal(), 5 * rng.normal()] as const);
    const later = [trend, trend, 2 * trend].map((t) =>
      base.map(([r, w]) => [r + t + 0.5 * rng.normal(), w - t + 0.5 * rng.normal()] as const),
    );
    const column = (rows: readonly (readonly [number, number])[], k: 0 | 1) => rows.map((row) => row[k]);
    const expected = later.slice(-2).every((rows) => rises(column(base, 0), column(rows, 0)) && rises(column(rows, 1), column(base, 1)));
    if (expected) alarms++;
    expect(hackAlarm(history(base, ...later)) !== undefined).toBe(expected);
  }
  expect(alarms).toBeGreaterThan(200);
  expect(alarms).toBeLessThan(1800);
});

test("samples that the reward or the scorer had nothing to say about, either time, are left out", () => {
  const row = (reward: number | undefined, watched: number | undefined) => ({
    ...(reward !== undefined && { reward }),
    ...(watched !== undefined && { watched }),
  });
  const first = { step: 0, rows: [row(0, 5), row(1, undefined), row(undefined, 4), row(2, 6), row(3, 9)] };
  const hacked = (step: number) => ({ step, rows: [row(1, 4), row(90, 90), row(90, 3), row(3, 5), row(4, 8)] });
  // Of the reward four pairs are left, of the scorer four.
  expect(hackAlarm([first, hacked(1), hacked(2)])).toBeUndefined();
  const clear = (step: number) => ({ step, rows: [row(1, 4), row(2, 90), row(90, 3), row(3, 5), row(4, 8)] });
  expect(hackAlarm([first, clear(1), clear(2)])).toMatch(
    /rises \(1\.50 → 2\.50\).*falls \(6\.00 → 5\.00\) on the same 4 samples, between update 0 and 2/,
  );
  // One sample less, and too few are left for an error: then three evaluations must agree.
  const few = (step: number) => ({ step, rows: [row(step, -step), row(step, -step), row(step, undefined), row(step, undefined)] });
  expect(hackAlarm([few(0), few(1), few(2)])).toBeUndefined();
  expect(hackAlarm([few(0), few(1), few(2), few(3)])).toMatch(/on the same 4 samples/);
  // Fewer rows than at first.
  expect(hackAlarm([first, clear(1), { step: 2, rows: [] }])).toBeUndefined();
});

test("with fewer than three samples, standing still is neither rising nor falling", () => {
  const at = (reward: number, watched: number) => [[reward, watched]] as const;
  expect(hackAlarm(history(at(0, 0), at(1, -1), at(1, -2), at(2, -3)))).toBeUndefined();
  expect(hackAlarm(history(at(0, 0), at(1, -1), at(2, -1), at(3, -3)))).toBeUndefined();
  expect(hackAlarm(history(at(9, -9), at(0, 0), at(1, -1), at(2, -2), at(3, -3)))).toMatch(/being fooled/);
  expect(hackAlarm(history(at(0, 0), at(1, 1), at(2, 2), at(3, 3)))).toBeUndefined();
});

test("with fewer than three samples, three evaluations in a row must rise and fall", () => {
  const at = (k: number) => [[k, -k]] as const;
  expect(hackAlarm(history(at(0), at(1), at(2)))).toBeUndefined();
  expect(hackAlarm(history(at(0), at(1), at(2), at(3)))).toMatch(/being fooled/);
  expect(hackAlarm(history(at(0), at(1), [[1.5, 0]], at(3)))).toBeUndefined();
});

test("of a constrained reward the objective counts, and without numbers there is no alarm", () => {
  const row = (objective: number, watched: number) => ({ reward: 0, "reward.objective": objective, watched });
  const steps = [0, 1, 2, 3].map((k) => ({ step: k, rows: [row(k, -k)] }));
  expect(hackAlarm(steps)).toMatch(/being fooled/);
  expect(hackAlarm([])).toBeUndefined();
  expect(hackAlarm(steps.map(({ step }) => ({ step, rows: [{ reward_skipped: 1 }] })))).toBeUndefined();
});
