import { expect, test } from "vitest";
import { z } from "zod";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeClip, fakeDataset, fakeModel, fakeReward, fakeVae, skippedReward } from "../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../test/interpreter-compute.ts";
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

test("a reward that has nothing to say gives no baseline", async () => {
  await expect(
    Promise.resolve(rewardBaseline.run({ ...asked, reward: skippedReward }, fakeContext(interpreterCompute()), {})),
  ).rejects.toThrow(/nothing to say about any of 4 pictures/);
});
