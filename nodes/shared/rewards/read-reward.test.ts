import { expect, test } from "vitest";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { noiseImage } from "../../../test/fake-face-models.ts";
import { fakeFace, fakeFaces } from "../../../test/fake-faces.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import type { Reward } from "../contracts/modules.ts";
import { constantOf } from "./constant-of.ts";
import { readReward } from "./read-reward.ts";
import { onePicture, rewardContext } from "./reward-context.ts";

const compute = interpreterCompute();
const context = rewardContext(compute, undefined, undefined);
const image = noiseImage(3, 4, 5);

/** gain · mean of the squares of the red plane. */
const red: Reward = {
  id: "red",
  name: "red",
  observe: async () => ({ structure: "", constants: { gain: f32([], [3]) }, info: { seen: 1 } }),
  build(b, picture, constants) {
    const plane = b.slice(picture, 1, 0, 1);
    const squares = b.mean(b.mul(plane, plane), [], false);
    return { reward: b.mul(squares, constantOf(constants, "gain")), parts: { squares } };
  },
};
const squares = image.data.reduce((s, x, i) => s + (i % 3 === 0 ? x * x : 0), 0) / 20;

test("the reward, its parts and what was seen; a gradient only when asked for", async () => {
  const reading = await readReward(compute, red, image, context);
  expect(reading.reward).toBeCloseTo(3 * squares, 6);
  expect(reading.parts.squares).toBeCloseTo(squares, 6);
  expect(reading.info).toEqual({ seen: 1 });
  expect(reading).not.toHaveProperty("gradient");
});

test("the gradient lies as the picture does", async () => {
  const { gradient } = await readReward(compute, red, image, context, { gradient: true });
  expect(gradient).toHaveLength(60);
  gradient?.forEach((g, i) => {
    expect(g).toBeCloseTo(i % 3 === 0 ? (3 * 2 * (image.data[i] ?? 0)) / 20 : 0, 6);
  });
});

test("a reward that has nothing to say is not built", async () => {
  const silent: Reward = {
    ...red,
    observe: async () => ({ skip: "no face", structure: "", constants: {}, info: { faces: 0 } }),
    build: () => {
      throw new Error("built");
    },
  };
  expect(await readReward(compute, silent, image, context)).toEqual({ reward: undefined, parts: {}, skip: "no face", info: { faces: 0 } });
});

test("a number that is none is refused by the name of the part, else of the reward", async () => {
  const broken = (gain: number, part: number): Reward => ({
    ...red,
    observe: async () => ({ structure: "", constants: { gain: f32([], [gain]), part: f32([], [part]) }, info: {} }),
    build: (_, __, constants) => ({ reward: constantOf(constants, "gain"), parts: { part: constantOf(constants, "part") } }),
  });
  const read = (gain: number, part: number) => readReward(compute, broken(gain, part), image, context);
  await expect(read(1, Number.NaN)).rejects.toMatchObject({ code: "REWARD_NAN", message: expect.stringContaining("part is NaN") });
  await expect(read(Number.POSITIVE_INFINITY, 1)).rejects.toMatchObject({ message: expect.stringContaining("red is Infinity") });
  expect(await read(1, 2)).toMatchObject({ reward: 1, parts: { part: 2 } });
});

test("a constant that was not given is named", () => {
  expect(() => constantOf({}, "gain")).toThrow(
    expect.objectContaining({ code: "REWARD_CONSTANT", message: expect.stringContaining("gain") }),
  );
});

test("every face of the references is a person, with the picture it is in; the target is the first picture", () => {
  const [one, two] = [noiseImage(1, 3, 4), noiseImage(2, 3, 4)];
  const both = f32([2, 3, 4, 3], [...one.data, ...two.data]);
  const [a, b, c] = [fakeFace(1, 1), fakeFace(2, 2), fakeFace(3, 3)];
  const { references, target } = rewardContext(compute, { images: both, faces: [[a], [b, c]] }, { images: both, faces: [[a, b], [c]] });
  expect(references?.faces).toEqual([a, b, c]);
  expect(references?.images.map(({ shape, data }) => [shape, [...data]])).toEqual(
    [one, two, two].map(({ shape, data }) => [shape, [...data]]),
  );
  expect(target?.faces).toEqual([a, b]);
  expect([...(target?.image.data ?? [])]).toEqual([...one.data]);
  expect(context).toMatchObject({ references: null, target: null });
  expect(rewardContext(compute, undefined, { images: both, faces: [] }).target?.faces).toEqual([]);
});

test("the only picture of a batch is the batch itself, so that what is remembered of it stays known", () => {
  const { images } = fakeFaces([]);
  expect(onePicture(images, 0)).toBe(images);
});
