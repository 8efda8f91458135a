import { expect, test } from "vitest";
import { z } from "zod";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeClip, fakeDataset, fakeModel, fakeReward, fakeVae, skippedReward } from "../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../test/interpreter-compute.ts";
import type { Reward } from "../shared/contracts/modules.ts";
import rewardBaseline from "./reward-baseline.ts";

const asked = {
  model: fakeModel(),
  vae: fakeVae,
  clip: fakeClip,
  dataset: fakeDataset(5, 2),
  reward: fakeReward,
  examples: 4,
  denoise_steps: 2,
  margin: 0,
  seed: 0,
  vision_size: 32,
};

const askedOf = (reward: Reward) => ({ ...asked, reward });

test("the mean over pictures, less the margin; the same for the same seed", async () => {
  const ctx = fakeContext(interpreterCompute());
  const { FLOAT, METRICS } = await rewardBaseline.run(asked, ctx, {});
  const values = z.array(z.number()).parse(METRICS.details);
  expect(values).toHaveLength(4);
  expect(new Set(values).size).toBeGreaterThan(1);
  expect(FLOAT).toBeCloseTo(values.reduce((s, v) => s + v, 0) / 4, 10);
  const again = await rewardBaseline.run({ ...asked, margin: 0.5 }, ctx, {});
  expect(again.FLOAT).toBeCloseTo(FLOAT - 0.5, 10);
});

test("the spread of its mean, of the pictures that say something; one picture has none", async () => {
  let looked = 0;
  const seen: number[] = [];
  // Nothing to say about the second picture.
  const sometimes: Reward = {
    ...fakeReward,
    async observe(image, context) {
      return looked++ === 1 ? skippedReward.observe(image, context) : fakeReward.observe(image, context);
    },
  };
  const ctx = { ...fakeContext(interpreterCompute()), progress: (done: number, of: number) => void seen.push(done, of) };
  const { METRICS } = await rewardBaseline.run({ ...askedOf(sometimes), examples: 9 }, ctx, {});
  const values = z.array(z.number()).parse(METRICS.details);
  expect(values).toHaveLength(4);
  const mean = values.reduce((s, v) => s + v, 0) / 4;
  const variance = values.reduce((s, v) => s + (v - mean) ** 2, 0) / 3;
  expect(METRICS.values).toEqual({
    baseline: expect.closeTo(mean, 9),
    standard_error: expect.closeTo(Math.sqrt(variance / 4), 9),
    pictures: 4,
  });
  expect(ctx.scores.get("baseline")).toEqual(METRICS.values);
  expect(ctx.logs).toEqual([expect.stringMatching(/^warn: fake has nothing to say about fake:\d: no face$/)]);
  expect(seen).toEqual([1, 2, 3, 4, 5].flatMap((n) => [n, 5]));
  const one = await rewardBaseline.run({ ...askedOf(fakeReward), examples: 1 }, fakeContext(interpreterCompute()), {});
  expect(one.METRICS.values).toEqual({ baseline: expect.any(Number), pictures: 1 });
});

test("a reward that has nothing to say gives no baseline", async () => {
  await expect(
    Promise.resolve(rewardBaseline.run({ ...asked, reward: skippedReward }, fakeContext(interpreterCompute()), {})),
  ).rejects.toThrow(/nothing to say about any of 4 pictures/);
});
