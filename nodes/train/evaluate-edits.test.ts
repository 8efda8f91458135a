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

/** Two people whose faces in the picture cannot be told apart from their portraits: every number of the matching is then known. */
const knowing = (order: readonly number[]): typeof encoder => ({
  ...encoder,
  dim: 2,
  size: 1,
  // The red of a face's crop says who it is: the encoder's vectors are (1, 0) and (0, 1).
  build: (b, crops) => {
    const red = b.reshape(b.slice(crops, 1, 0, 1), [1, 1]);
    return b.concat([red, b.sub(1, red)], 1);
  },
  alignment: ({ box }) => [1, 0, -box[0] - 1, 0, 1, -box[1] - 1],
  id: `knowing ${order}`,
});
const portrait = (who: 0 | 1) => f32([1, 16, 16, 3], new Float32Array(768).fill(1 - who));
const twoSided = (leftIs: 0 | 1) =>
  f32(
    [1, 16, 32, 3],
    Float32Array.from({ length: 1536 }, (_, i) => (Math.floor(i / 3) % 32 < 16 ? 1 - leftIs : leftIs)),
  );
const known = (leftIs: 0 | 1, changes: Partial<Example> = {}): Example => ({
  ...example(0),
  references: [portrait(0), portrait(1)],
  referenceFaces: [fakeFace(8, 8, 8), fakeFace(8, 8, 8)],
  target: twoSided(leftIs),
  targetFaces: [fakeFace(7, 8, 8), fakeFace(25, 8, 8)],
  ...changes,
});
/** What the model draws: this picture, whatever the noise. */
const drawing = (picture: ReturnType<typeof twoSided>) => ({
  ...fakeVae,
  decode: {
    ...fakeVae.decode,
    build: (b: Parameters<typeof fakeVae.decode.build>[0], z: Parameters<typeof fakeVae.decode.build>[1]) =>
      b.add(
        b.mul(fakeVae.decode.build(b, z), 0),
        b.constant(
          f32(
            [1, 3, 16, 32],
            Float32Array.from({ length: 1536 }, (_, i) => 2 * (picture.data[3 * (i % 512) + Math.floor(i / 512)] ?? 0) - 1),
          ),
        ),
      ),
  },
});
const measured = async (leftIs: 0 | 1, faces = [fakeFace(7, 8, 8), fakeFace(25, 8, 8)], changes: Partial<Example> = {}) =>
  (
    await evaluate({
      dataset: { ...fakeDataset(1, 1), example: async () => known(0, changes) },
      vae: drawing(twoSided(leftIs)),
      encoder: knowing([leftIs]),
      detector: fakeDetector(faces),
      examples: 1,
    })
  ).METRICS.values;

test("everybody in their place: the best of each number", async () => {
  expect(await measured(0)).toMatchObject({
    id_sim: 100,
    id_sim_matched: 100,
    id_sim_in_place: 100,
    id_gap_in_place: 100,
    id_conf: 100,
    swap_rate: 0,
    m_bld: 0,
    count_accuracy: 1,
    faces_wanted: 2,
    faces_found: 2,
  });
});

test("the two in each other's place: they are still found, but swapped", async () => {
  expect(await measured(1)).toMatchObject({ id_sim: 100, id_sim_matched: 100, id_sim_in_place: 0, id_gap_in_place: -100, swap_rate: 1 });
});

test("one of two found: half of each, and the count is wrong", async () => {
  expect(await measured(0, [fakeFace(7, 8, 8)])).toMatchObject({
    id_sim: 50,
    id_sim_matched: 50,
    faces_found: 1,
    count_accuracy: 0,
    id_sim_in_place: 100,
  });
});

test("one person has no gap to others, and nobody to be blended with", async () => {
  const alone = { references: [portrait(0)], referenceFaces: [fakeFace(8, 8, 8)], targetFaces: [fakeFace(7, 8, 8)] };
  const values = await measured(0, [fakeFace(7, 8, 8)], alone);
  expect(values).toMatchObject({ id_sim: 100, id_sim_in_place: 100, count_accuracy: 1 });
  for (const name of ["id_gap_in_place", "m_bld"]) expect(values).not.toHaveProperty(name);
});

test("a reference without its face is an error with the example's name", async () => {
  await expect(measured(0, [], { referenceFaces: [fakeFace(8, 8, 8)] })).rejects.toMatchObject({
    code: "EVALUATE_FACES",
    message: "pair:0 has 2 references and 1 faces for them",
  });
});

test("pictures of other sizes stand in the middle of black; each is seen to be done", async () => {
  const tall = (k: number) => (k === 1 ? { ...example(1), target: f32([1, 32, 32, 3], new Float32Array(3072).fill(0.5)) } : example(k));
  const seen: unknown[] = [];
  const ctx = { ...fakeContext(compute), progress: (...args: unknown[]) => void seen.push(args) };
  const three = { ...fakeDataset(1, 3), example: async (_: "train" | "heldOut", k: number) => tall(k) };
  const { METRICS, pictures } = await node.run({ ...inputs, dataset: three, examples: 3 }, ctx, {});
  expect(pictures.shape).toEqual([3, 32, 32, 3]);
  const row = (k: number, y: number) => pictures.data.subarray((k * 32 + y) * 96, (k * 32 + y + 1) * 96);
  for (const k of [0, 2]) expect([7, 8, 23, 24].map((y) => row(k, y).some((x) => x > 0))).toEqual([false, true, true, false]);
  expect([0, 31].map((y) => row(1, y).some((x) => x > 0))).toEqual([true, true]);
  // Where the first stands is what is drawn of it alone.
  const alone = (await node.run({ ...inputs, dataset: three, examples: 1 }, fakeContext(compute), {})).pictures;
  expect([...row(0, 10)]).toEqual([...alone.data.subarray(2 * 96, 3 * 96)]);
  expect(METRICS.details).toMatchObject({ label: "after", encoder: encoder.id, examples: ["pair:0", "pair:1", "pair:2"] });
  expect(ctx.logs).toEqual([]);
  expect(seen).toEqual([1, 2, 3].map((n) => [n, 3, `after: picture ${n}`]));
});
