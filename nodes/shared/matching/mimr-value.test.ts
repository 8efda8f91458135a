import { describe, expect, test } from "vitest";
import { hungarian } from "./hungarian.ts";
import { type MimrOptions, mimr, UMO_MIMR } from "./mimr-value.ts";

const pairsOf = (s: readonly (readonly number[])[]) =>
  hungarian(
    Float64Array.from(s.flat(), (e) => -e),
    s.length,
    s[0]?.length ?? 0,
  ).pairs.map((p) => ({ reference: p.row, generated: p.column }));

const score = (s: readonly (readonly number[])[], options: MimrOptions = UMO_MIMR) =>
  mimr(s.flat(), s.length, s[0]?.length ?? 0, pairsOf(s), options);

/** Eq. 4 taken literally, over the assignment that brute force finds best. */
function byDefinition(s: readonly (readonly number[])[]): number {
  const m = s.length;
  const n = s[0]?.length ?? 0;
  let best = { total: Number.NEGATIVE_INFINITY, reward: 0 };
  const walk = (k: number, chosen: readonly number[]): void => {
    if (k === m) {
      if (chosen.filter((j) => j >= 0).length < Math.min(m, n)) return;
      let total = 0;
      let reward = 0;
      for (let r = 0; r < m; r++)
        for (let j = 0; j < n; j++) {
          const e = s[r]?.[j] ?? 0;
          if (chosen[r] === j) total += e;
          reward += chosen[r] === j ? e : -e;
        }
      if (total > best.total) best = { total, reward: reward / (m * n) };
      return;
    }
    for (let j = -1; j < n; j++) if (j < 0 || !chosen.includes(j)) walk(k + 1, [...chosen, j]);
  };
  walk(0, []);
  return best.reward;
}

const GOLDEN: readonly (readonly [
  string,
  readonly (readonly number[])[],
  readonly (readonly [number, number])[] | null,
  number,
  number,
])[] = [
  ["one", [[0.6]], [[0, 0]], 0.6, 4],
  [
    "good",
    [
      [0.7, 0.1],
      [0.05, 0.6],
    ],
    [
      [0, 0],
      [1, 1],
    ],
    0.2875,
    4,
  ],
  [
    "swapped",
    [
      [0.1, 0.7],
      [0.6, 0.05],
    ],
    [
      [0, 1],
      [1, 0],
    ],
    0.2875,
    4,
  ],
  [
    "blended",
    [
      [0.4, 0.4],
      [0.4, 0.4],
    ],
    null,
    0,
    4,
  ],
  [
    "A drawn twice",
    [
      [0.7, 0.7],
      [0.1, 0.1],
    ],
    [
      [0, 0],
      [1, 1],
    ],
    0,
    4,
  ],
  [
    "greedy is not optimal",
    [
      [0.9, 0.8],
      [0.85, 0.1],
    ],
    [
      [0, 1],
      [1, 0],
    ],
    0.1625,
    4,
  ],
  ["2 references, 1 face", [[0.7], [0.1]], [[0, 0]], 0.3, 4],
  [
    "2 references, 3 faces",
    [
      [0.7, 0.1, 0],
      [0.05, 0.6, 0],
    ],
    [
      [0, 0],
      [1, 1],
    ],
    0.19167,
    5,
  ],
  ["1 reference, 3 clones", [[0.7, 0.65, 0.6]], [[0, 0]], -0.18333, 5],
  [
    "three",
    [
      [0.6, 0.2, 0.1],
      [0.15, 0.5, 0.2],
      [0.1, 0.25, 0.55],
    ],
    [
      [0, 0],
      [1, 1],
      [2, 2],
    ],
    0.07222,
    5,
  ],
  [
    "negative",
    [
      [-0.1, -0.2],
      [-0.3, -0.05],
    ],
    [
      [0, 0],
      [1, 1],
    ],
    0.0875,
    4,
  ],
];

describe("the table of the released form", () => {
  test.each(GOLDEN)("%s", (_, s, pairs, printed, digits) => {
    if (pairs) expect(pairsOf(s)).toEqual(pairs.map(([reference, generated]) => ({ reference, generated })));
    const { reward, matched, unmatched, cells } = score(s);
    expect(reward.toFixed(digits)).toBe(printed.toFixed(digits));
    expect(Math.abs(reward - byDefinition(s))).toBeLessThan(1e-12);
    expect(Math.abs(reward - matched - unmatched)).toBeLessThan(1e-15);
    expect(Math.abs(reward - cells.reduce((a, c) => a + c, 0))).toBeLessThan(1e-12);
  });
});

/** The table of trainers: matched .7, unmatched .05; ceiling 1/n and no price for missing people. */
test.each([
  [1, [0.7, 0.325, 0.2, 0.14, 0.1]],
  [2, [0.325, 0.325, 0.2, 0.14, 0.1]],
  [3, [0.2, 0.2, 0.2, 0.14, 0.1]],
])("the released form with %i targets and 1..5 faces", (m, row) => {
  row.forEach((expected, i) => {
    const s = Array.from({ length: m }, (_, k) => Array.from({ length: i + 1 }, (_, j) => (k === j ? 0.7 : 0.05)));
    expect(Math.abs(score(s).reward - expected)).toBeLessThan(0.0051);
  });
});

describe("balanced", () => {
  const balanced: MimrOptions = { ...UMO_MIMR, norm: "balanced" };
  test("equals the released form for one face", () => expect(score([[0.6]], balanced).reward).toBe(0.6));
  test("its ceiling does not fall with the number of people", () => {
    for (const n of [1, 2, 3, 5]) {
      const s = Array.from({ length: n }, (_, k) => Array.from({ length: n }, (_, j) => (k === j ? 1 : 0)));
      expect(score(s, balanced).reward).toBeCloseTo(1, 12);
    }
  });
  test("a missing person costs their share", () => {
    const both = score(
      [
        [0.7, 0],
        [0, 0.3],
      ],
      balanced,
    ).reward;
    const without = score([[0.7], [0]], balanced).reward;
    expect(both).toBeCloseTo(0.5, 12);
    expect(without).toBeCloseTo(0.35, 12);
  });
  test("clones and blends lose", () => {
    expect(score([[0.7, 0.65, 0.6]], balanced).reward).toBeCloseTo(0.7 - 0.625, 12);
    expect(
      score(
        [
          [0.4, 0.4],
          [0.4, 0.4],
        ],
        balanced,
      ).reward,
    ).toBeCloseTo(0, 12);
  });
});

test("cap bounds matched pairs only, clampNegative touches unmatched ones only", () => {
  const s = [
    [0.9, 0.8],
    [-0.3, -0.2],
  ];
  expect(score(s, { ...UMO_MIMR, cap: 0.5 }).reward).toBeCloseTo((0.5 - 0.2 - 0.8 + 0.3) / 4, 12);
  expect(score(s, { ...UMO_MIMR, clampNegative: true }).reward).toBeCloseTo((0.9 - 0.2 - 0.8) / 4, 12);
});

test("no faces: 0", () => {
  expect(mimr([], 2, 0, [], UMO_MIMR).reward).toBe(0);
  expect(mimr([], 2, 0, [], { ...UMO_MIMR, norm: "balanced" }).reward).toBe(0);
});
