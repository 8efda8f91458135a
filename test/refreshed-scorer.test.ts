// A scorer that goes on learning while a model is trained on it: its own numbers change and are kept in the checkpoint, nobody else's do.
import { expect, test } from "vitest";
import { randomSource } from "../engine/base/random.ts";
import { readSafetensors } from "../engine/formats/safetensors.ts";
import { createRuntime } from "../engine/ort/runtime.ts";
import { f32 } from "../engine/tensor/tensor.ts";
import { scorerReward } from "../nodes/realism/realism-reward.ts";
import { weightedSumReward } from "../nodes/rewards/weighted-sum-reward.ts";
import type { Dataset, Image } from "../nodes/shared/contracts/data.ts";
import type { Reward } from "../nodes/shared/contracts/modules.ts";
import { initialScorer, scorerOfArrays } from "../nodes/shared/realism/scorer-net.ts";
import { readReward } from "../nodes/shared/rewards/read-reward.ts";
import { BLOB_SIZE, portrait } from "./blob-portraits.ts";
import { fakeDataset } from "./fake-diffusion.ts";
import { fakeDetector } from "./fake-face-models.ts";
import { fakeFace } from "./fake-faces.ts";
import { trainFake } from "./train-fake.ts";

const compute = createRuntime({ device: "cpu" });
const face = fakeFace(BLOB_SIZE / 2, BLOB_SIZE / 2, 32);
const about = { id: "scorer:test", name: "test", side: 24, width: 1, temperature: 2 };
const scorer = scorerOfArrays(about, initialScorer(about, 3));
const options = { read: "log_odds", sigmaMax: 1, minSize: 24, maxFaces: 2, facesFrom: "target" } as const;
const refresh = { every: 2, rate: 0.02, decay: 0.5, history: 4 };
const still = scorerReward(scorer, fakeDetector([face]), options);
const learner = scorerReward(scorer, fakeDetector([face]), options, refresh);
const contextOf = (target: Image) => ({ compute, references: null, target: { image: target, faces: [face] } });
const read = async (reward: Reward, image: Image, target: Image) =>
  (await readReward(compute, reward, image, contextOf(target))).reward ?? Number.NaN;

function learningOf(reward: Reward) {
  if (!reward.learning) throw new Error("it does not learn");
  return reward.learning;
}

test("it begins as the scorer that stays, and comes to tell what was drawn from what should have been", async () => {
  const learning = learningOf(learner);
  const state = await learning.fresh(compute);
  const [real, drawn] = [portrait(1, 0.06), portrait(1, 0.02)];
  const learned = learning.withState(state);
  for (const image of [real, drawn]) expect(await read(learned, image, real)).toBeCloseTo(await read(still, image, real), 5);
  const gap = async (reward: Reward) => (await read(reward, real, real)) - (await read(reward, drawn, real));
  const before = await gap(learned);
  const logs = [];
  for (let k = 0; k < 40; k++) {
    const target = portrait(10 + (k % 8), 0.06);
    logs.push(await learning.learn(compute, state, [{ image: portrait(10 + (k % 8), 0.02), context: contextOf(target) }], randomSource(k)));
  }
  // Every second update, as asked.
  expect(logs.map((l) => "refresh.loss" in l)).toEqual(logs.map((_, k) => k % 2 === 1));
  expect([...(state.get("counts") ?? [])]).toEqual([40, 20, 40]);
  expect(await gap(learned)).toBeGreaterThan(before + 0.05);
  expect(Math.abs((await gap(still)) - before)).toBeLessThan(1e-4);
});

test("the history keeps the newest faces, and a picture without a true one teaches nothing", async () => {
  const learning = learningOf(learner);
  const state = await learning.fresh(compute);
  const flat = (value: number) => f32([1, BLOB_SIZE, BLOB_SIZE, 3], new Float32Array(BLOB_SIZE * BLOB_SIZE * 3).fill(value));
  for (let k = 0; k < 6; k++)
    await learning.learn(compute, state, [{ image: flat(k / 10), context: contextOf(flat(0.9)) }], randomSource(k));
  const area = 3 * 24 * 24;
  expect([0, 1, 2, 3].map((k) => Math.round(10 * (state.get("history.drawn")?.[k * area] ?? 0)))).toEqual([4, 5, 2, 3]);
  expect(state.get("history.real")?.every((x) => Math.abs(x - 0.9) < 1e-6)).toBe(true);
  const before = [...state].map(([name, x]) => [name, [...x]]);
  expect(
    await learning.learn(compute, state, [{ image: flat(0), context: { ...contextOf(flat(0)), target: null } }], randomSource(9)),
  ).toEqual({});
  state.get("counts")?.set([6], 0);
  expect([...state].map(([name, x]) => [name, [...x]])).toEqual(before);
});

/** The middle of a portrait: a picture of 32 by 32 pixels, with room for a face. */
function small(seed: number): Image {
  const { data } = portrait(seed, 0.06);
  const at = (i: number) => 3 * ((4 + Math.floor(i / 96)) * BLOB_SIZE + 4 + (Math.floor(i / 3) % 32)) + (i % 3);
  return f32(
    [1, 32, 32, 3],
    Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => data[at(i)] ?? 0),
  );
}
const dataset: Dataset = {
  ...fakeDataset(4, 1),
  example: async (_, index) => ({
    id: `face ${index}`,
    prompt: "p",
    references: [small(50 + index)],
    referenceFaces: [fakeFace(16, 16, 30)],
    target: small(index),
    targetFaces: [fakeFace(16, 16, 30)],
  }),
};
const summed = (reward: Reward) => weightedSumReward([reward], [1], { missing: "zero", floor: 0 });
const asked = { dataset, reward: summed(learner), watched: learner, steps: 4, accumulate: 1, checkpoint_every: 1, samples: 1 };
const files = ({ directories }: Awaited<ReturnType<typeof trainFake>>) => {
  const [dir] = directories.values();
  const bytes = (name: string) => dir?.files.get(name) ?? new Uint8Array();
  return { metrics: new TextDecoder().decode(bytes("metrics.jsonl")), checkpoint: bytes("checkpoint.safetensors") };
};

test("in a training: the reward's scorer changes, the watched one does not; stopped and continued it is the same, byte for byte", async () => {
  const whole = files(await trainFake(asked));
  const { tensors } = readSafetensors(whole.checkpoint);
  const of = (part: string) => [...(tensors.get(`learned.0.${part}.conv.0.weight`)?.data ?? [])].map(Number);
  const initial = [...(initialScorer(about, 3).get("conv.0.weight") ?? [])];
  expect(of("average")).not.toEqual(initial);
  expect(of("average")).not.toEqual(of("weight"));
  expect(whole.metrics.match(/"refresh\.loss"/g)).toHaveLength(2);
  // What is watched is the scorer as it was, even where it is the same node.
  const target = portrait(0, 0.06);
  expect(await read(asked.watched, target, target)).toBe(await read(still, target, target));
  const directories = new Map();
  await expect(trainFake(asked, { directories, stopAfter: 1 })).rejects.toThrow(/stopped after update/);
  const continued = files(await trainFake(asked, { directories }));
  expect(continued.metrics).toBe(whole.metrics);
  expect(continued.checkpoint).toEqual(whole.checkpoint);
});

test("off, nothing of it is there: not in the reward's name, the checkpoint or the metrics", async () => {
  expect(still.learning).toBeUndefined();
  expect(still.id).not.toMatch(/every|refresh/);
  const { metrics, checkpoint } = files(await trainFake({ ...asked, reward: summed(still) }));
  expect(metrics).not.toMatch(/refresh/);
  expect([...readSafetensors(checkpoint).tensors.keys()].filter((name) => name.startsWith("learned"))).toEqual([]);
});
