import { expect, test } from "vitest";
import { fakeExample } from "../../../test/fake-diffusion.ts";
import { fakeDetector, fakeEncoder, noiseImage } from "../../../test/fake-face-models.ts";
import { fakeFace } from "../../../test/fake-faces.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import { countReward } from "../../rewards/count-reward.ts";
import { matchingReward } from "../../rewards/matching-reward.ts";
import type { Example } from "../../shared/contracts/data.ts";
import { UMO_MIMR } from "../../shared/matching/mimr-value.ts";
import { readReward } from "../../shared/rewards/read-reward.ts";
import { contextOf, withoutOpposition } from "./reward-gradient.ts";

const compute = interpreterCompute();
const picture = noiseImage(1, 24, 40);
const faces = [fakeFace(9, 11, 9), fakeFace(30, 12, 13)];
const options = { mimr: UMO_MIMR, against: "refs", layoutWeight: 0, maxFaces: 4 } as const;

/** Entry "1" of two datasets: different people under the same name. */
const entry = (seed: number): Example => ({
  ...fakeExample(0),
  id: "1",
  references: [noiseImage(seed, 20, 20)],
  referenceFaces: [fakeFace(10, 10, 12)],
});

test("two examples of one id and different people are not taken for one another", async () => {
  const reward = matchingReward("mimr", fakeDetector(faces), fakeEncoder(), options);
  const [first, second] = [entry(2), entry(3)];
  const value = async (e: Example) => (await readReward(compute, reward, picture, contextOf(compute, e))).reward;
  const a = await value(first);
  const b = await value(second);
  const again = await value(first);
  const fresh = matchingReward("mimr", fakeDetector(faces), fakeEncoder(), options);
  expect(b).toBe((await readReward(compute, fresh, picture, contextOf(compute, entry(3)))).reward);
  expect(b).not.toBe(a);
  expect(again).toBe(a);
});

test("two detectors of one id each see for themselves", async () => {
  const [two, none] = [
    { ...fakeDetector(faces), id: "d" },
    { ...fakeDetector([]), id: "d" },
  ];
  const count = async (detector: typeof two) =>
    (await readReward(compute, countReward(detector, 0), picture, contextOf(compute, entry(2)))).reward;
  expect([await count(two), await count(none)]).toEqual([0.5, 0]);
});

test("gradient surgery drops exactly what opposes, and nothing else", () => {
  const of = (...xs: number[]) => Float32Array.from(xs);
  expect([...withoutOpposition(of(3, -2), of(0, 2))]).toEqual([3, 0]);
  expect([...withoutOpposition(of(3, 2), of(0, 2))]).toEqual([3, 2]);
  expect([...withoutOpposition(of(1, 1), of(0, 0))]).toEqual([1, 1]);
  const [g, h] = [of(1, -2, 0.5), of(2, 1, -3)];
  const free = withoutOpposition(g, h);
  expect(free.reduce((s, x, i) => s + x * (h[i] ?? 0), 0)).toBeCloseTo(0, 5);
});
