import { expect, test } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import { fakeClip, fakeExample, fakeModel, fakeReward, fakeVae, skippedReward } from "../../../test/fake-diffusion.ts";
import { fakeDetector, fakeEncoder, noiseImage } from "../../../test/fake-face-models.ts";
import { fakeFace } from "../../../test/fake-faces.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import { countReward } from "../../rewards/count-reward.ts";
import { matchingReward } from "../../rewards/matching-reward.ts";
import type { Example } from "../../shared/contracts/data.ts";
import type { Reward } from "../../shared/contracts/modules.ts";
import { UMO_MIMR } from "../../shared/matching/mimr-value.ts";
import { readReward } from "../../shared/rewards/read-reward.ts";
import { ModelRunner } from "../model/model-runner.ts";
import { prepareExample } from "../model/prepared-example.ts";
import type { Situation } from "../objective.ts";
import { contextOf, rewardGradient, withoutOpposition } from "./reward-gradient.ts";

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

const space = { model: fakeModel(), vae: fakeVae, clip: fakeClip };
async function situationOf(changes: Partial<Situation> = {}, rewardWeight = 1): Promise<Situation> {
  const prepared = await prepareExample(compute, space, fakeExample(0), { guidanceScale: 1, negativePrompt: "", visionSize: 32 });
  return {
    compute,
    runner: new ModelRunner(compute, space.model, fakeVae, new Map(), new Map()),
    example: prepared,
    reward: fakeReward,
    guard: null,
    watched: null,
    schedule: space.model.schedule,
    sigmas: [1, 0],
    guidance: null,
    options: {
      mode: "rerefl",
      lambda: 0,
      rewardWeight,
      steps: 1,
      window: [1, 1],
      sigmaRange: [0, 1],
      sigmaRescaleCap: 0,
      k: 1,
      anchorBeta: 0,
    },
    rng: randomSource(1),
    ...changes,
  };
}
/** A reward on the mean of one colour. */
const colour = (c: number, sign: number, info: Readonly<Record<string, unknown>> = {}): Reward => ({
  id: `colour ${c} ${sign}`,
  name: "colour",
  observe: async () => ({ structure: "", constants: {}, info }),
  build: (b, image) => {
    const part = b.mean(b.slice(image, 1, c, c + 1), [], false);
    return { reward: b.mul(part, sign), parts: { part } };
  },
});
const length = (g: Float32Array) => Math.sqrt(g.reduce((s, x) => s + x * x, 0));
const along = (a: Float32Array, c: Float32Array) => a.reduce((s, x, i) => s + x * (c[i] ?? 0), 0);

test("the gradient of −w·R in the latent, and how steep R itself is there", async () => {
  const s = await situationOf({}, 3);
  const { dx0, logs } = await rewardGradient(s, s.example.x0);
  const value = async (x: Float32Array) => {
    const image = await s.runner.decode(s.example.target, s.example.x0);
    const seen = await fakeReward.observe(image, contextOf(compute, s.example.example));
    return (await s.runner.reward(s.example.target, x, fakeReward, seen)).reward;
  };
  expect(logs.reward).toBeCloseTo(await value(s.example.x0), 6);
  for (const at of [0, 17, 90]) {
    const moved = (by: number) => value(s.example.x0.map((x, i) => (i === at ? x + by : x)));
    expect(dx0?.[at]).toBeCloseTo((-3 * ((await moved(1e-2)) - (await moved(-1e-2)))) / 2e-2, 3);
  }
  expect(logs.reward_slope).toBeCloseTo(length(dx0 ?? new Float32Array()) / 3 / Math.sqrt(s.example.x0.length), 6);
  expect(logs).toMatchObject({ reward_skipped: 0, "reward.raw": expect.any(Number) });
  expect(logs).not.toHaveProperty("gradient_cosine");
});

test("with a guard: both rewards and their parts by name, the guard's gradient whole, the other's without what opposes it", async () => {
  const [objective, guard] = [colour(0, 1, { faces: 1 }), colour(1, -1, { faces: 2 })];
  const alone = async (reward: Reward) => {
    const s = await situationOf({ reward });
    return (await rewardGradient(s, s.example.x0)).dx0 ?? new Float32Array();
  };
  const [g, h] = [await alone(objective), await alone(guard)];
  const s = await situationOf({ reward: objective, guard });
  const { dx0, logs } = await rewardGradient(s, s.example.x0);
  const cosine = along(g, h) / (length(g) * length(h));
  expect(logs.gradient_cosine).toBeCloseTo(cosine, 4);
  const expected = withoutOpposition(g, h).map((x, i) => x + (h[i] ?? 0));
  expect(length((dx0 ?? new Float32Array()).map((x, i) => x - (expected[i] ?? 0)))).toBeLessThan(1e-5 * length(expected));
  expect(logs.reward).toBeCloseTo((logs["reward.objective"] ?? 0) + (logs["reward.constraint"] ?? 0), 6);
  expect(logs["reward.objective.part"]).toBeCloseTo(logs["reward.objective"] ?? 9, 6);
  expect(logs["reward.constraint.part"]).toBeCloseTo(-(logs["reward.constraint"] ?? 9), 6);
  expect(logs).toMatchObject({ "reward.objective.faces_found": 1, "reward.constraint.faces_found": 2 });
  // Straight against each other, and one that pulls nowhere.
  const opposed = await situationOf({ reward: colour(0, 1), guard: colour(0, -2) });
  expect((await rewardGradient(opposed, opposed.example.x0)).logs.gradient_cosine).toBeCloseTo(-1, 5);
  const still = await situationOf({ reward: colour(0, 1), guard: colour(0, 0) });
  expect((await rewardGradient(still, still.example.x0)).logs.gradient_cosine).toBe(0);
});

test("a picture that either has nothing to say about is skipped, one of NaN is not looked at; what was drawn is told", async () => {
  const drawn: unknown[] = [];
  const drew = (picture: unknown) => void drawn.push(picture);
  for (const changes of [{ reward: skippedReward }, { guard: skippedReward }]) {
    const s = await situationOf({ ...changes, drew });
    expect(await rewardGradient(s, s.example.x0)).toMatchObject({ dx0: null, logs: { reward_skipped: 1 } });
  }
  const s = await situationOf({ drew });
  const nan = await rewardGradient(
    s,
    s.example.x0.map(() => Number.NaN),
  );
  expect(nan).toEqual({ dx0: null, logs: {} });
  expect(drawn).toEqual([]);
  const none = await situationOf({ reward: null, drew });
  expect(await rewardGradient(none, none.example.x0)).toEqual({ dx0: null, logs: {} });
  const whole = await situationOf({ drew });
  await rewardGradient(whole, whole.example.x0, 0.25);
  expect(drawn).toMatchObject([{ context: { sigma: 0.25 }, image: { shape: [1, 16, 32, 3] } }]);
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
