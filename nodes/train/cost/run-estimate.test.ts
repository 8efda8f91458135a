import { expect, test } from "vitest";
import type { Compute } from "../../../engine/ir/compute.ts";
import { fakeContext } from "../../../test/fake-context.ts";
import { fakeClip, fakeDataset, fakeExample, fakeModel, fakeReward, fakeVae } from "../../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import { type MemoryDirectory, memoryDirectory } from "../../../test/memory-directory.ts";
import type { TextEncoder } from "../../shared/contracts/diffusion.ts";
import { ExampleStore } from "../model/example-store.ts";
import { ModelRunner, type Times } from "../model/model-runner.ts";
import { prepareExample } from "../model/prepared-example.ts";
import { ESTIMATE, type EstimateOptions, predict, RunEstimate, stateBytes } from "./run-estimate.ts";

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
/** `estimate.json` of the last update. */
const estimateIn = (dir: MemoryDirectory) => JSON.parse(new TextDecoder().decode(dir.files.get(ESTIMATE)) || "null");
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

const timesOf = (forward = spent(1)): Times => ({
  compileSeconds: 0,
  forward,
  backward: spent(0),
  decode: spent(0),
  reward: spent(0),
});

test("samplings are drawn at every multiple of the interval and after the last update, once each", () => {
  const o = { ...options, perExample: { forward: 0, backward: 0, reward: 0 }, perSample: { forward: 1, backward: 0, reward: 0 }, train: 0 };
  for (const [steps, sampleEvery, step] of [
    [100, 40, 2],
    [100, 50, 2],
    [100, 100, 2],
    [100, 3, 98],
    [100, 3, 99],
    [100, 0, 2],
    [7, 1, 2],
  ] as const) {
    const due = Array.from({ length: steps }, (_, k) => k + 1).filter(
      (n) => n > step && (n === steps || (sampleEvery > 0 && n % sampleEvery === 0)),
    );
    const { seconds } = predict(timesOf(), spent(0), { ...o, steps, sampleEvery, samples: 5 }, step, 0);
    expect(seconds, `${steps} ${sampleEvery} ${step}`).toBeCloseTo(5 * due.length, 9);
  }
});

test("every example is encoded once, as far as the run gets, and those of the samples", () => {
  const none = { forward: 0, backward: 0, reward: 0 };
  const toEncode = (train: number, steps: number, encoded: number, samples = 0) =>
    predict(timesOf(), spent(1, encoded), { ...options, train, steps, samples, perExample: none, perSample: none }, 2, 0).seconds;
  expect(toEncode(8, 100, 2)).toBeCloseTo(6);
  expect(toEncode(8, 3, 2)).toBeCloseTo(4);
  expect(toEncode(8, 100, 9)).toBeCloseTo(0);
  expect(toEncode(8, 100, 9, 2)).toBeCloseTo(2);
});

test("a kind of evaluation that ran once is expected to take as long again", () => {
  const seconds = (forward: ReturnType<typeof spent>) =>
    predict(timesOf(forward), spent(0), { ...options, accumulate: 1, perExample: { forward: 1, backward: 0, reward: 0 } }, 2, 0).perUpdate
      .seconds;
  expect(seconds({ runs: 1, seconds: 7, first: 7 })).toBe(7);
  expect(seconds({ runs: 0, seconds: 0, first: 0 })).toBe(0);
  expect(seconds({ runs: 3, seconds: 13, first: 7 })).toBe(3);
});

test("parameters, two moments and a gradient, and the average where there is one", () => {
  const params = new Map([
    ["a", new Float32Array(3)],
    ["b", new Float32Array(5)],
  ]);
  expect([stateBytes({ params, ema: null }), stateBytes({ params, ema: params })]).toEqual([8 * 4 * 4, 8 * 4 * 5]);
});

test("what an update took beside the evaluations counts for each; memory is the greatest seen, or what is still to come", async () => {
  let clock = 0;
  const memory = [500, 900, 700, 600, 800];
  const dir = memoryDirectory();
  const ctx = { ...fakeContext(), now: () => clock, memory: () => memory.shift() ?? 0 };
  const times = { ...timesOf({ runs: 0, seconds: 0, first: 0 }), compileSeconds: 0 };
  const encoding = { runs: 0, seconds: 0, first: 0 };
  const o = { ...options, steps: 4, samples: 0, train: 0, accumulate: 1, perExample: { forward: 1, backward: 0, reward: 0 } };
  const estimate = new RunEstimate(ctx, dir, { times, predictedBytes: 100 }, encoding, { ...o, stateBytes: 350 });
  const update = async (step: number, seconds: number, own: { forward?: number; compile?: number; encode?: number }) => {
    times.compileSeconds += own.compile ?? 0;
    encoding.seconds += own.encode ?? 0;
    if (own.forward !== undefined) {
      if (times.forward.runs++ === 0) times.forward.first = own.forward;
      times.forward.seconds += own.forward;
    }
    clock += 1000 * seconds;
    await estimate.update(step, { seconds, secondsLeft: 0, metrics: {}, made: step });
  };
  await update(1, 50, { forward: 9, compile: 30, encode: 2 });
  // 8 seconds: 3 in the model, 1 of compiling and 1.5 of encoding, so 2.5 beside them.
  await update(2, 8, { forward: 3, compile: 1, encode: 1.5 });
  const { predicted } = estimateIn(dir);
  expect(predicted.perUpdate).toEqual({ seconds: 5.5, evaluations: 3, other: 2.5 });
  expect(predicted.seconds).toBe(11);
  // The greatest so far is 900; the state and the graphs on top of the 500 at the start would be 950.
  expect(predicted.memoryBytes).toBe(950);
  expect(predicted).not.toHaveProperty("at");
  await update(3, 6, { forward: 3 });
  expect(estimateIn(dir)).not.toHaveProperty("measured");
  await update(4, 4, { forward: 3 });
  expect(estimateIn(dir)).toMatchObject({
    predicted: { step: 2 },
    measured: { seconds: 10, memoryBytes: 900 },
    errorPercent: { seconds: 10, memory: 5.6 },
  });
  expect(ctx.logs).toEqual(["info: estimated after update 2: 11.0 s and 0.00 GiB; it took 10.0 s and 0.00 GiB"]);
});

test("a run of two updates is not estimated; one that continues is, after its own second", async () => {
  const dir = memoryDirectory();
  const short = new RunEstimate(fakeContext(), dir, { times: timesOf(), predictedBytes: 0 }, spent(0), { ...options, steps: 2 });
  for (const step of [1, 2]) await short.update(step, { seconds: 1, secondsLeft: 0, metrics: {}, made: step });
  expect(estimateIn(dir)).toBeNull();
  const later = new RunEstimate(fakeContext(), dir, { times: timesOf(), predictedBytes: 0 }, spent(0), options);
  await later.update(51, { seconds: 1, secondsLeft: 0, metrics: {}, made: 1 });
  expect(estimateIn(dir)).toBeNull();
  await later.update(52, { seconds: 1, secondsLeft: 0, metrics: {}, made: 2 });
  expect(estimateIn(dir)).toMatchObject({ predicted: { step: 52 } });
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
