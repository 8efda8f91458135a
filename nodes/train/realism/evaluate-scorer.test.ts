import { expect, test } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import { DEGRADATIONS } from "../../shared/realism/degradations.ts";
import { degrade, type Planes } from "../../shared/realism/degrade.ts";
import { auc, pairAccuracy, temperatureOf } from "../../shared/realism/pair-statistics.ts";
import type { FacePair } from "../../shared/realism/scorer-batch.ts";
import { initialScorer, scorerOfArrays } from "../../shared/realism/scorer-net.ts";
import { evaluateScorer, scoreOf } from "./evaluate-scorer.ts";

const compute = interpreterCompute();
const scorer = scorerOfArrays({ id: "s", name: "s", width: 1, side: 24, temperature: 1 }, initialScorer({ width: 1 }, 3));
const planes = (seed: number): Planes => {
  const rng = randomSource(seed);
  return { side: 24, data: Float32Array.from({ length: 3 * 24 * 24 }, () => rng.uniform()) };
};
const pair = (seed: number, changes: Partial<FacePair> = {}): FacePair => ({
  win: planes(seed),
  lose: planes(seed + 100),
  weight: 1,
  labelled: false,
  ...changes,
});
const score = (of: Planes) => scoreOf(compute, scorer, of);

test("pairs by which scores higher, labelled ones as real and generated, and each worsened version against its own face", async () => {
  const pairs = [pair(1, { labelled: true }), pair(2), pair(3, { lose: null }), pair(4, { labelled: true })];
  const found = await evaluateScorer(compute, scorer, pairs, 7);
  const wins = await Promise.all([1, 2, 3, 4].map((seed) => score(planes(seed))));
  const loses = await Promise.all([101, 102, 104].map((seed) => score(planes(seed))));
  const [w1 = 0, w2 = 0, , w4 = 0] = wins;
  const [l1 = 0, l2 = 0, l4 = 0] = loses;
  expect(found.pairs).toEqual(
    pairAccuracy([
      { win: w1, lose: l1 },
      { win: w2, lose: l2 },
      { win: w4, lose: l4 },
    ]),
  );
  expect(found.auc).toEqual(auc([w1, w4], [l1, l4]));
  // Real and generated are each a margin of their own; a mere preference only says how far apart the two are.
  expect(found.temperature).toBeCloseTo(temperatureOf([w1, -l1, w2 - l2, w4, -l4]), 9);
  expect(Object.keys(found.degradations)).toEqual([...DEGRADATIONS]);
  for (const [k, kind] of DEGRADATIONS.entries()) {
    const against = await Promise.all(
      [1, 2, 3, 4].map(async (seed, i) => ({
        win: wins[i] ?? 0,
        lose: await score(await degrade(kind, planes(seed), 1, randomSource((7 * 1009 + i) * 16 + k))),
      })),
    );
    expect(found.degradations[kind], kind).toEqual(pairAccuracy(against));
  }
});

test("without worse pictures there are no pairs and no area, and the worsened versions calibrate", async () => {
  const found = await evaluateScorer(compute, scorer, [pair(1, { lose: null })], 0);
  expect(found).not.toHaveProperty("pairs");
  expect(found).not.toHaveProperty("auc");
  const own = await score(planes(1));
  const margins = await Promise.all(
    DEGRADATIONS.map(async (kind, k) => [own, -(await score(await degrade(kind, planes(1), 1, randomSource(k))))]),
  );
  expect(found.temperature).toBeCloseTo(temperatureOf(margins.flat()), 9);
  expect(await evaluateScorer(compute, scorer, [pair(1)], 0)).not.toHaveProperty("auc");
  expect((await evaluateScorer(compute, scorer, [], 0)).temperature).toBe(1);
});
