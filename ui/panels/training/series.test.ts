import { expect, test } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import {
  align,
  appendCurves,
  type Curve,
  chartGroups,
  commonRange,
  decimate,
  mainCurve,
  robustRange,
  shownAtFirst,
  smooth,
} from "./series.ts";

const curve = (name: string, group: Curve["group"], y: readonly (number | null)[], x = y.map((_, i) => i + 1)): Curve => ({
  name,
  group,
  isHeldOut: name.startsWith("held_out."),
  x,
  y: [...y],
});

test("smoothing starts at the first value, keeps a constant, leaves gaps, and does not depend on how many points there are", () => {
  expect(smooth([1, 2, 3, 4], [3, 3, null, 3], 0.9).map((v) => v && Number(v.toFixed(9)))).toEqual([3, 3, null, 3]);
  expect(smooth([1, 2], [0, 1], 0)).toEqual([0, 1]);
  expect(smooth([5], [2], 0.9)).toEqual([2]);
  const ramp = (n: number) => {
    const x = Array.from({ length: n }, (_, i) => i + 1);
    return (
      smooth(
        x,
        x.map((v) => v / n),
        0.9,
      ).at(-1) ?? 0
    );
  };
  expect(ramp(100)).toBeLessThan(0.95);
  expect(Math.abs(ramp(10_000) - ramp(100))).toBeLessThan(0.01);
});

test("curves with different updates share one axis", () => {
  expect(align([curve("a", "reward", [1, 2, 3]), curve("b", "reward", [9], [2])])).toEqual({
    x: [1, 2, 3],
    ys: [
      [1, 2, 3],
      [null, 9, null],
    ],
  });
});

test("20 curves of 10,000 points are thinned to two rows a pixel, and no extreme is lost", () => {
  const rng = randomSource(3);
  const x = Array.from({ length: 10_000 }, (_, i) => i + 1);
  const ys = Array.from({ length: 20 }, () => x.map(() => rng.uniform()));
  for (const y of ys) y[rng.below(10_000)] = 50;
  const sparse = x.map((v) => (v % 500 === 0 ? v : null));
  const thin = decimate(x, [...ys, sparse], 600);
  expect(thin.x.length).toBeLessThanOrEqual(1200);
  expect(thin.x.every((v, i) => i === 0 || v > (thin.x[i - 1] ?? 0))).toBe(true);
  ys.forEach((y, s) => {
    const kept = thin.ys[s]?.filter((v) => v !== null) ?? [];
    expect([Math.min(...kept), Math.max(...kept)]).toEqual([Math.min(...y), Math.max(...y)]);
  });
  expect(thin.ys[20]?.filter((v) => v !== null)).toEqual(sparse.filter((v) => v !== null));
  expect(decimate([1, 2], [[5, null]], 600)).toEqual({ x: [1, 2], ys: [[5, null]] });
});

test("outliers do not squash the scale, and are counted", () => {
  const calm = Array.from({ length: 200 }, (_, i) => 1 + 0.1 * Math.sin(i));
  const range = robustRange([...calm, 1e6, null]);
  expect(range?.max).toBeLessThan(2);
  expect(range?.outside).toBe(1);
  // A curve that falls from far is no outlier.
  const falling = Array.from({ length: 100 }, (_, i) => 10 * Math.exp(-i / 30));
  expect(robustRange(falling)).toMatchObject({ outside: 0 });
  expect(robustRange([2, 2])).toEqual({ min: 1.8, max: 2.2, outside: 0 });
  expect(robustRange([null])).toBeUndefined();
  // Twelve points that rise are not the outliers of a thousand that don't.
  expect(commonRange([calm, Array.from({ length: 12 }, (_, i) => i)])).toMatchObject({ outside: 0 });
});

test("three charts; parts wait until they are asked for", () => {
  const curves = [
    curve("reward", "reward", [1]),
    curve("held_out.reward", "reward", [1]),
    ...["a", "b", "c", "d", "e"].map((part) => curve(`reward.${part}`, "reward", [1])),
    curve("loss", "loss", [1]),
    curve("grad_norm", "gradient", [1]),
    curve("lr", "schedule", [1]),
  ];
  const groups = chartGroups(curves);
  expect(groups.map((g) => [g.left.length, g.right.length])).toEqual([
    [7, 0],
    [1, 1],
    [1, 0],
  ]);
  expect([...shownAtFirst(groups[0]?.left ?? [])]).toEqual(["reward", "held_out.reward"]);
});

test("later points are added; updates that were repeated replace what was there", () => {
  const whole = (curves: Curve[]) => ({
    curves,
    alarms: [],
    updates: { done: 0, total: 9 },
    secondsLeft: null,
    best: null,
    settings: {},
  });
  const joined = appendCurves(
    whole([curve("loss", "loss", [1, 2, 3]), curve("old", "other", [7])]),
    whole([curve("loss", "loss", [20, 4], [3, 4])]),
  );
  expect(joined.curves.map((c) => [c.name, c.x, c.y])).toEqual([
    ["loss", [1, 2, 3, 4], [1, 2, 20, 4]],
    ["old", [1], [7]],
  ]);
});

test("two trainings are compared by what says most: not by whatever comes first", () => {
  expect(mainCurve(["reward_slope", "loss_pretrain", "grad_norm"])).toBe("grad_norm");
  expect(mainCurve(["sigma", "lr"])).toBe("lr");
  expect(mainCurve(["anything"])).toBe("anything");
  expect(mainCurve([])).toBeUndefined();
});
