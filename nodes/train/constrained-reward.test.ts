import { expect, test } from "vitest";
import { f32 } from "../../engine/tensor/tensor.ts";
import { skippedReward } from "../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../test/interpreter-compute.ts";
import type { Reward } from "../shared/contracts/modules.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
import { constrainedReward, type Dual, nextDual } from "./constrained-reward.ts";

const compute = interpreterCompute();
const context = { compute, references: null, target: null };
const image = f32(
  [1, 2, 2, 3],
  Float32Array.from({ length: 12 }, (_, i) => i / 12),
);

/** factor · mean of the image; the factor is a constant of the observation. */
const meanTimes = (factor: number): Reward => ({
  id: `mean*${factor}`,
  name: "mean",
  observe: () => Promise.resolve({ structure: "m", constants: { factor: f32([], [factor]) }, info: {} }),
  build: (b, picture, { factor: f }) => {
    const raw = b.mean(picture, [], false);
    return { reward: f ? b.mul(raw, f) : raw, parts: { raw } };
  },
});

test("R + λ·(C − τ), every reward raw beside it, with the λ of the moment", async () => {
  let dual = 0;
  const reward = constrainedReward(meanTimes(2), meanTimes(-3), 0.25, () => dual);
  const mean = 5.5 / 12;
  for (dual of [0, 0.5, 4]) {
    const reading = await readReward(compute, reward, image, context);
    expect(reading.reward).toBeCloseTo(2 * mean + dual * (-3 * mean - 0.25), 5);
    expect(reading.parts.objective).toBeCloseTo(2 * mean, 5);
    expect(reading.parts.constraint).toBeCloseTo(-3 * mean, 5);
    expect(Object.keys(reading.parts).sort()).toEqual(["constraint", "constraint.raw", "objective", "objective.raw"]);
  }
});

test("one reward structure serves every λ: nothing is compiled anew", async () => {
  const at = async (dual: number) => {
    const reward = constrainedReward(meanTimes(1), meanTimes(2), 0, () => dual);
    const seen = await reward.observe(image, context);
    return [reward.id, seen.structure, Object.keys(seen.constants)];
  };
  expect(await at(0)).toEqual(await at(3));
});

test("a picture about which either reward has nothing to say is skipped", async () => {
  for (const pair of [
    [skippedReward, meanTimes(1)],
    [meanTimes(1), skippedReward],
    [skippedReward, skippedReward],
  ] as const) {
    const reading = await readReward(
      compute,
      constrainedReward(...pair, 0, () => 2),
      image,
      context,
    );
    expect(reading).toMatchObject({ reward: undefined, skip: expect.stringContaining("no face") });
  }
});

test("what was seen of both is kept, and of a skipped one no constants are fed", async () => {
  const both = constrainedReward({ ...meanTimes(2), id: "a" }, { ...meanTimes(3), id: "b" }, 0.5, () => 1);
  expect(both.id).toBe("constrained(a,b>=0.5)");
  const seen = await both.observe(image, context);
  expect(seen.info).toEqual({ objective: {}, constraint: {} });
  expect(Object.fromEntries(Object.entries(seen.constants).map(([name, t]) => [name, t.data[0]]))).toEqual({
    dual: 1,
    "0.factor": 2,
    "1.factor": 3,
  });
  expect(JSON.parse(seen.structure)).toEqual(["m", "m"]);
  const half = await constrainedReward(meanTimes(1), skippedReward, 0, () => 1).observe(image, context);
  expect([half.skip, half.constants, JSON.parse(half.structure)]).toEqual(["no face", {}, ["m", null]]);
  const none = await constrainedReward(skippedReward, skippedReward, 0, () => 1).observe(image, context);
  expect(none.skip).toBe("no face; no face");
});

test("the running mean takes a tenth of each new reading, the first whole", () => {
  const options = { min: 0, rate: 1, max: 9 };
  const first = nextDual(undefined, 4, options);
  expect(first).toEqual({ mean: 4, dual: 0 });
  expect(nextDual(first, -6, options).mean).toBeCloseTo(3, 12);
  expect(nextDual({ mean: -2, dual: 3 }, -2, { ...options, rate: 0.5 })).toEqual({ mean: -2, dual: 4 });
  expect(nextDual({ mean: -2, dual: 8.5 }, -2, options).dual).toBe(9);
});

test("λ rises while the constraint is violated, falls when it is kept, and stays in its range", () => {
  const options = { min: 0.5, rate: 1, max: 0.6 };
  const seen: Dual[] = [];
  let dual: Dual | undefined;
  for (const reading of [0.3, 0.3, 0.3, 0.3, ...Array.from({ length: 60 }, () => 0.9)]) {
    dual = nextDual(dual, reading, options);
    seen.push(dual);
  }
  expect(seen.slice(0, 4).map((d) => d.dual)).toEqual([0.2, 0.4, 0.6, 0.6].map((x) => expect.closeTo(x, 9)));
  expect(seen.at(-1)).toEqual({ dual: 0, mean: expect.closeTo(0.9, 2) });
});
