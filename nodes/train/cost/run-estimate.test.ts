import { expect, test } from "vitest";
import type { Compute } from "../../../engine/ir/compute.ts";
import { fakeContext } from "../../../test/fake-context.ts";
import { fakeClip, fakeDataset, fakeExample, fakeModel, fakeReward, fakeVae } from "../../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import { memoryDirectory } from "../../../test/memory-directory.ts";
import type { TextEncoder } from "../../shared/contracts/diffusion.ts";
import { ExampleStore } from "../model/example-store.ts";
import { ModelRunner } from "../model/model-runner.ts";
import { prepareExample } from "../model/prepared-example.ts";
import { ESTIMATE, type EstimateOptions, predict, RunEstimate } from "./run-estimate.ts";

const options: EstimateOptions = {
  steps: 100,
  accumulate: 2,
  perExample: { forward: 5, backward: 2, reward: 1 },
  perSample: { forward: 10, backward: 0, reward: 0 },
  samples: 3,
  sampleEvery: 40,
  stateBytes: 1000,
  train: 8,
};
const spent = (each: number, runs = 4, first = 99) => ({ runs, seconds: first + each * (runs - 1), first });

test("the prediction adds up evaluations, samplings and encoding; first runs do not count", () => {
  const times = { compileSeconds: 50, forward: spent(1), backward: spent(3), decode: spent(0.5), reward: spent(2) };
  const { seconds, perUpdate } = predict(times, spent(0.25, 4), options, 2, 0.1);
  expect(perUpdate.evaluations).toBeCloseTo(2 * (5 * 1 + 2 * 3 + 2.5));
  // Samplings at 40, 80 and the end; five of eight examples and three held-out ones are still to be encoded... four are known.
  expect(seconds).toBeCloseTo(98 * (27 + 0.1) + 3 * 3 * (10 + 0.5) + (4 + 3) * 0.25);
});

test("estimate.json: the prediction after the second update, what it came to at the end", async () => {
  let clock = 0;
  let rss = 1_000_000;
  const dir = memoryDirectory();
  const ctx = { ...fakeContext(), now: () => clock, memory: () => rss };
  const runner = new ModelRunner(interpreterCompute(), fakeModel(), fakeVae, new Map(), new Map(), () => clock);
  const none = { runs: 0, seconds: 0, first: 0 };
  const estimate = new RunEstimate(ctx, dir, runner, none, { ...options, steps: 4, samples: 0, train: 0 });
  const read = () => JSON.parse(new TextDecoder().decode(dir.files.get(ESTIMATE)) || "null");
  for (let step = 1; step <= 4; step++) {
    clock += 2000;
    rss += 100_000;
    await estimate.update(step, { seconds: 2, secondsLeft: 0, metrics: {}, made: step });
    if (step === 1) expect(read()).toBeNull();
    if (step === 2) expect(read()).toMatchObject({ predicted: { step: 2, seconds: 4, memoryBytes: 1_200_000 } });
  }
  expect(read()).toMatchObject({ measured: { seconds: 4, memoryBytes: 1_400_000 }, errorPercent: { seconds: 0, memory: -14.3 } });
  expect(ctx.scores.get("estimate error, %")).toEqual({ seconds: 0, memory: -14.3 });
});

test("encoded examples are kept up to a number of bytes, the least recently used go first", async () => {
  let encoded = 0;
  const counting: TextEncoder = {
    ...fakeClip,
    encode(...request) {
      encoded++;
      return fakeClip.encode(...request);
    },
  };
  const store = (budget: number) =>
    new ExampleStore(
      interpreterCompute(),
      { model: fakeModel(), vae: fakeVae, clip: counting, dataset: fakeDataset() },
      { guidanceScale: 1, negativePrompt: "", visionSize: 32 },
      { budget },
    );
  const one = store(1e9);
  await one.get("train", 0);
  const { bytes } = one;
  expect(bytes).toBeGreaterThan(16 * 48 * 3 * 4);
  const few = store(2.5 * bytes);
  for (const index of [0, 1, 0, 2, 0, 0]) await few.get("train", index);
  expect(few.bytes).toBe(2 * bytes);
  expect(encoded).toBe(1 + 3);
  await few.get("train", 1);
  expect(encoded).toBe(1 + 4);
  expect(few.times.runs).toBe(4);
  // Even an example larger than the whole limit is returned.
  expect((await store(1).get("heldOut", 0)).example.id).toBe(fakeExample(1000).id);
});

test("graphs of ever new reward structures do not pile up", async () => {
  let made = 0;
  const compute = interpreterCompute();
  const counting: Compute = {
    ...compute,
    grad(...request) {
      made++;
      return compute.grad(...request);
    },
  };
  const runner = new ModelRunner(counting, fakeModel(), fakeVae, new Map(), new Map());
  const encoders = { model: fakeModel(), vae: fakeVae, clip: fakeClip };
  const example = await prepareExample(compute, encoders, fakeExample(0), { guidanceScale: 1, negativePrompt: "", visionSize: 32 });
  const observation = await fakeReward.observe(fakeExample(0).target, { compute, references: null, target: null });
  const once = (structure: string) => runner.reward(example.target, example.x0, fakeReward, { ...observation, structure });
  for (let k = 0; k < 40; k++) await once(`s${k}`);
  await once("s39");
  expect(made).toBe(40);
  await once("s0");
  expect(made).toBe(41);
});
