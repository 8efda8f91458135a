import { expect, test } from "vitest";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeClip, fakeExample, fakeModel, fakeReward, fakeVae, skippedReward } from "../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../test/interpreter-compute.ts";
import { type MemoryDirectory, memoryDirectory } from "../../test/memory-directory.ts";
import type { Reward } from "../shared/contracts/modules.ts";
import { decodePicture } from "../shared/pictures/codec.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
import { drawSample, sampleFile } from "./draw-sample.ts";
import { streamOf } from "./loop/data-order.ts";
import { ModelRunner } from "./model/model-runner.ts";
import { prepareExample } from "./model/prepared-example.ts";
import { contextOf } from "./modes/reward-gradient.ts";
import { rollout } from "./modes/rollout.ts";
import type { Situation } from "./objective.ts";
import { SampleSheet } from "./sample-sheet.ts";

const opened = (dir: MemoryDirectory, step: number, warnings: string[] = []) =>
  SampleSheet.open(dir, step, (word) => void warnings.push(word));
const textOf = (dir: MemoryDirectory, file: string) => new TextDecoder().decode(dir.files.get(file));
const example = { ...fakeExample(0), prompt: "Ann & <Bob>", references: [...fakeExample(0).references, ...fakeExample(1).references] };

test("a page with a row for every sample: references, target, and each update in order with its score", async () => {
  const dir = memoryDirectory();
  const sheet = await opened(dir, 0);
  expect(sheet.isEmpty).toBe(true);
  await sheet.add(0, 0, example, { reward: 0.12345 });
  await sheet.add(1, 0, { ...fakeExample(1), prompt: "b" }, { reward_skipped: 1 });
  await sheet.add(0, 10, example, { reward: 2, reward_skipped: 0 });
  await sheet.add(0, 9, example, {});
  await sheet.add(1, 4, { ...fakeExample(1), prompt: "b" }, { reward: 7 });
  expect(sheet.isEmpty).toBe(false);
  await sheet.write();
  const html = textOf(dir, "samples/sheet.html");
  expect(html).toContain("<p>Ann &amp; &lt;Bob&gt;</p>");
  const cells = [...html.matchAll(/<section>.*?<\/section>/g)].map(([row]) =>
    [...row.matchAll(/<img src="([^"]*)" alt=""><figcaption>([^<]*)</g)].map(([, src, caption]) => `${src}: ${caption}`),
  );
  expect(cells).toEqual([
    [
      "0-reference-0.png: reference 1",
      "0-reference-1.png: reference 2",
      "0-target.png: target",
      "0-step-000000.png: update 0, reward 0.123",
      "0-step-000009.png: update 9",
      "0-step-000010.png: update 10, reward 2.000",
    ],
    [
      "1-reference-0.png: reference 1",
      "1-target.png: target",
      "1-step-000000.png: update 0, no reward",
      "1-step-000004.png: update 4, reward 7.000",
    ],
  ]);
  expect(sheet.history()).toEqual([
    { step: 0, rows: [{ reward: 0.12345 }, { reward_skipped: 1 }] },
    { step: 4, rows: [{}, { reward: 7 }] },
    { step: 9, rows: [{}, {}] },
    { step: 10, rows: [{ reward: 2, reward_skipped: 0 }, {}] },
  ]);
});

test("references and target are saved once, as they are", async () => {
  const dir = memoryDirectory();
  const sheet = await opened(dir, 0);
  const written: string[] = [];
  dir.beforeWrite = (_, file) => void written.push(file);
  await sheet.add(2, 0, example, {});
  await sheet.add(2, 1, example, {});
  expect(written).toEqual(["samples/2-reference-0.png", "samples/2-reference-1.png", "samples/2-target.png"]);
  const target = await decodePicture(dir.files.get("samples/2-target.png") ?? new Uint8Array(), "target");
  expect([target.width, target.height]).toEqual([32, 16]);
  expect(target.rgb[5]).toBe(Math.trunc(Math.fround(255 * (example.target.data[5] ?? 0))));
});

test("a sheet goes on where it was, without what came after the update that the run continues from", async () => {
  const dir = memoryDirectory();
  const first = await opened(dir, 0);
  for (const step of [0, 5, 10]) await first.add(0, step, example, { reward: step });
  await first.write();
  const again = await opened(dir, 5);
  expect(again.history().map(({ step }) => step)).toEqual([0, 5]);
  expect((await opened(dir, 10)).history()).toHaveLength(3);
  // Nothing of it is left: as if nothing had been drawn.
  expect((await opened(dir, -1)).isEmpty).toBe(true);
  expect((await opened(memoryDirectory(), 5)).isEmpty).toBe(true);
  const warnings: string[] = [];
  dir.files.set("samples/scores.json", new TextEncoder().encode('{"0":'));
  expect((await opened(dir, 10, warnings)).isEmpty).toBe(true);
  expect(warnings).toEqual([expect.stringMatching(/samples\/scores\.json.*: the sheet of samples begins anew$/)]);
});

const compute = interpreterCompute();
const modules = { model: fakeModel(), vae: fakeVae, clip: fakeClip };
const prepared = await prepareExample(compute, modules, fakeExample(0), { guidanceScale: 1, negativePrompt: "", visionSize: 32 });
const sigmas = [1, 0.5, 0];
const situation = (changes: Partial<Situation> = {}): Situation => ({
  compute,
  runner: new ModelRunner(compute, modules.model, fakeVae, new Map(), new Map()),
  example: prepared,
  reward: fakeReward,
  guard: null,
  watched: null,
  schedule: modules.model.schedule,
  sigmas,
  guidance: null,
  options: {
    mode: "rerefl",
    lambda: 0,
    rewardWeight: 1,
    steps: 2,
    window: [1, 1],
    sigmaRange: [0, 1],
    sigmaRescaleCap: 0,
    k: 1,
    anchorBeta: 0,
  },
  rng: streamOf(1),
  ...changes,
});
const constant = (name: string, value: number, info: Readonly<Record<string, unknown>> = {}): Reward => ({
  id: name,
  name,
  observe: async () => ({ structure: "", constants: { value: f32([], [value]) }, info }),
  build: (_, __, { value: v }) => {
    if (!v) throw new Error("no value");
    return { reward: v, parts: { part: v } };
  },
});

test("a sample is the whole way down from its noise, as a picture in its own file, with the reward's numbers", async () => {
  const dir = memoryDirectory();
  const numbers = await drawSample(dir, 7, 3, situation());
  expect([...dir.files.keys()]).toEqual(["samples/3-step-000007.png"]);
  expect(sampleFile(3, 7)).toBe("samples/3-step-000007.png");
  const s = situation();
  const picture = await s.runner.decode(prepared.target, (await rollout(s, 2)).at(-1) ?? new Float32Array());
  const own = await readReward(compute, fakeReward, picture, contextOf(compute, prepared.example));
  expect(numbers).toEqual({ reward: own.reward, reward_skipped: 0, "reward.raw": own.parts.raw });
  const { rgb } = await decodePicture(dir.files.get(sampleFile(3, 7)) ?? new Uint8Array(), "sample");
  expect(rgb[100]).toBe(Math.trunc(Math.fround(255 * (picture.data[100] ?? 0))));
});

test("what is watched and what guards have names of their own; without a reward only what is watched is measured", async () => {
  const draw = (changes: Partial<Situation>) => drawSample(memoryDirectory(), 0, 0, situation(changes));
  const [objective, guard] = [constant("o", 0.5, { faces: 2 }), constant("g", -0.25, { faces: 1 })];
  expect(await draw({ reward: objective, guard, watched: constant("w", 3) })).toEqual({
    watched: 3,
    watched_skipped: 0,
    "watched.part": 3,
    reward: 0.25,
    reward_skipped: 0,
    "reward.objective": 0.5,
    "reward.objective.part": 0.5,
    "reward.constraint": -0.25,
    "reward.constraint.part": -0.25,
    "reward.objective.skipped": 0,
    "reward.objective.faces_found": 2,
    "reward.constraint.skipped": 0,
    "reward.constraint.faces_found": 1,
  });
  expect(await draw({ reward: null, watched: constant("w", 3) })).toEqual({ watched: 3, watched_skipped: 0, "watched.part": 3 });
  expect(await draw({ reward: null })).toEqual({});
  expect(await draw({ reward: skippedReward })).toEqual({ reward_skipped: 1 });
  for (const half of [
    { reward: skippedReward, guard },
    { reward: objective, guard: skippedReward },
  ])
    expect(await draw(half)).toMatchObject({ reward_skipped: 1 });
  expect(await draw({ reward: objective, guard: skippedReward })).not.toHaveProperty("reward");
});

test("a picture that is lost is an error with the sample, counted from 1, and the update", async () => {
  const broken = {
    ...fakeVae,
    decode: {
      id: "nan",
      build: (b: Parameters<typeof fakeVae.decode.build>[0], z: Parameters<typeof fakeVae.decode.build>[1]) =>
        b.sqrt(b.sub(fakeVae.decode.build(b, z), 9)),
    },
  };
  const runner = new ModelRunner(compute, modules.model, broken, new Map(), new Map());
  const dir = memoryDirectory();
  await expect(drawSample(dir, 40, 1, situation({ runner }))).rejects.toMatchObject({
    code: "TRAIN_NAN",
    message: expect.stringMatching(/^sample 2 at update 40 is lost: the decoded picture is NaN/),
  });
  expect(dir.files.size).toBe(0);
});
