import { expect, test } from "vitest";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeClip, fakeDataset, fakeExample, fakeModel, fakeReward, fakeVae, skippedReward } from "../../test/fake-diffusion.ts";
import { fakeDetector, fakeEncoder, noiseImage } from "../../test/fake-face-models.ts";
import { fakeFace } from "../../test/fake-faces.ts";
import { interpreterCompute } from "../../test/interpreter-compute.ts";
import type { Dataset, Example } from "../shared/contracts/data.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { similarityOf } from "../shared/matching/similarity.ts";
import node from "./evaluate-edits.ts";

const compute = interpreterCompute();
const encoder = fakeEncoder();
const [left, right] = [fakeFace(9, 8, 8), fakeFace(23, 8, 8)];

/** Two people, whose portraits differ in size. */
const example = (index: number): Example => ({
  ...fakeExample(index),
  id: `pair:${index}`,
  references: [noiseImage(10 + index, 16, 16), noiseImage(20 + index, 16, 32)],
  referenceFaces: [fakeFace(8, 8, 9), fakeFace(20, 8, 9)],
  targetFaces: [left, right],
});
const dataset: Dataset = { ...fakeDataset(1, 2), example: async (_, index) => example(index) };
const inputs = {
  model: fakeModel(),
  vae: fakeVae,
  clip: fakeClip,
  dataset,
  detector: fakeDetector([left, right]),
  encoder,
  encoder_2: undefined,
  reward: fakeReward,
  label: "after",
  examples: 2,
  denoise_steps: 2,
  true_cfg_scale: 1,
  negative_prompt: " ",
  seed: 0,
  vision_size: 32,
};
const evaluate = async (
  changes: Partial<Omit<typeof inputs, "encoder_2">> | { reward: typeof skippedReward } | { encoder_2: typeof encoder } = {},
) => {
  const ctx = fakeContext(compute);
  return { ...(await node.run({ ...inputs, ...changes }, ctx, {})), ctx };
};

test("numbers of every picture: those of the metrics' own definitions, their mean as a score", async () => {
  const { METRICS, pictures, ctx } = await evaluate();
  expect(pictures.shape).toEqual([2, 16, 32, 3]);
  const means: Record<string, number> = {};
  for (const k of [0, 1]) {
    const picture = f32([1, 16, 32, 3], pictures.data.slice(k * 1536, (k + 1) * 1536));
    const e = example(k);
    const rows = await Promise.all(
      e.references.map((images, r) => embedFaces(compute, encoder, { images, faces: [e.referenceFaces.slice(r, r + 1)] })),
    );
    const found = await embedFaces(compute, encoder, { images: picture, faces: [[left, right]] });
    const cosines = rows.map((row) => [...similarityOf(row, found).values.data]);
    const [[a = 0, b = 0] = [], [c = 0, d = 0] = []] = cosines;
    const add = (name: string, value: number) => {
      means[name] = (means[name] ?? 0) + value / 2;
    };
    add("id_sim_in_place", 50 * (a + d));
    add("id_gap_in_place", 50 * (a + d) - 50 * (b + c));
    add("id_sim", 50 * (Math.max(a, b) + Math.max(c, d)));
    add("id_sim_matched", 50 * Math.max(a + d, b + c));
  }
  for (const [name, value] of Object.entries(means)) expect(METRICS.values[name], name).toBeCloseTo(value, 3);
  expect(METRICS.values).toMatchObject({ faces_found: 2, faces_wanted: 2, count_accuracy: 1, reward_skipped: 0 });
  // fakeReward is raw·(10 + the picture's mean): its part is there beside it.
  const { reward = 0, "reward.raw": raw = 0 } = METRICS.values;
  expect(raw).not.toBe(0);
  expect(reward / raw).toBeGreaterThan(10);
  expect(reward / raw).toBeLessThan(11);
  expect(ctx.scores.get("after")).toMatchObject({ examples: 2, ...METRICS.values });
});

test("a second encoder tells the same numbers once more, under names of its own", async () => {
  const { METRICS } = await evaluate({ encoder_2: fakeEncoder() });
  const twice = Object.keys(METRICS.values).filter((name) => name.endsWith("_2"));
  expect(twice).toEqual(expect.arrayContaining(["id_sim_2", "id_sim_matched_2", "id_conf_2", "id_sim_in_place_2", "m_cp_2"]));
  for (const name of twice) expect(METRICS.values[name], name).toBe(METRICS.values[name.slice(0, -2)]);
});

test("pictures of several sizes are all handed on, the smaller ones in the middle of black", async () => {
  const small = fakeExample(0);
  const [, h = 0, w = 0] = small.target.shape;
  const larger = noiseImage(5, h * 2, w * 2);
  const sizes: Dataset = {
    ...dataset,
    example: async (_, k) => ({ ...example(k), target: k === 0 ? small.target : larger }),
  };
  const { pictures, METRICS } = await evaluate({ dataset: sizes });
  expect(pictures.shape).toEqual([2, h * 2, w * 2, 3]);
  const row = (y: number) => pictures.data.subarray(y * w * 2 * 3, (y + 1) * w * 2 * 3);
  expect(row(0).every((x) => x === 0)).toBe(true);
  const middle = row(h);
  expect(middle.subarray(0, (w >> 1) * 3).every((x) => x === 0)).toBe(true);
  expect(middle.subarray((w >> 1) * 3, ((w >> 1) + w) * 3).some((x) => x > 0)).toBe(true);
  expect(METRICS.details).toMatchObject({ rows: [{ psnr: expect.any(Number) }, { psnr: expect.any(Number) }] });
});

test("the same seed gives the same pictures, another seed others", async () => {
  const first = await evaluate();
  expect((await evaluate()).pictures).toEqual(first.pictures);
  expect((await evaluate({ seed: 1 })).pictures).not.toEqual(first.pictures);
});

test("no face, nothing to say, fewer examples than asked for: all aloud, nothing counted as a value", async () => {
  const { METRICS, ctx } = await evaluate({ detector: fakeDetector([]), reward: skippedReward, examples: 5 });
  expect(METRICS.values).toMatchObject({ reward_skipped: 1, faces_found: 0, count_accuracy: 0, id_sim: 0, id_conf: 0 });
  expect(METRICS.values.reward).toBeUndefined();
  expect(METRICS.values.swap_rate).toBeUndefined();
  expect(ctx.logs).toEqual(["warn: 5 examples were asked for, the dataset holds out 2"]);
});

test("a dataset that holds nothing out is an error", async () => {
  await expect(evaluate({ dataset: { ...dataset, heldOut: 0 } })).rejects.toMatchObject({ code: "EVALUATE_EMPTY" });
});
