import { expect, test } from "vitest";
import type { NodeContext } from "../../../engine/node/context.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { fakeContext } from "../../../test/fake-context.ts";
import { fakeClip, fakeDataset, fakeExample, fakeModel, fakeReward, fakeVae } from "../../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import { TRAIN_INPUTS, type TrainInputs } from "../train-options.ts";
import { dryRunTraining } from "./dry-run-training.ts";

const compute = interpreterCompute();
/** The interpreter would take seconds to measure the speed, and the answers do not matter here. */
const instant = { strategy: "whole" as const, predictedPeak: { weights: 0, activations: 0, peak: 0 }, run: async () => ({}) };

function context(inputs: Record<string, unknown> = {}): NodeContext {
  let clock = 0;
  return {
    ...fakeContext({ ...compute, compile: async () => instant }),
    workflow: { prompt: { 1: { class_type: "TrainReReFL", inputs } } },
    now: () => clock++,
    memory: () => 1e6,
  };
}

function inputs(changes: Partial<TrainInputs> = {}): Partial<TrainInputs> {
  const widgets = Object.entries(TRAIN_INPUTS).flatMap(([name, spec]) =>
    spec.kind === "widget" ? [[name, spec.schema.parse(undefined)]] : [],
  );
  const modules = { model: fakeModel(), vae: fakeVae, clip: fakeClip, dataset: fakeDataset(), reward: fakeReward };
  const small = { rank: 2, alpha: 2, targets: "to_q, to_k", denoise_steps: 8, window_end: 3, steps: 10, accumulate: 2 };
  return { ...Object.fromEntries(widgets), ...modules, ...small, ...changes };
}

test("a good configuration: no issue, and an estimate", async () => {
  const { issues, estimate } = await dryRunTraining(inputs(), context());
  expect(issues).toEqual([]);
  expect(estimate).toMatchObject({
    steps: 10,
    seconds: expect.any(Number),
    memoryBytes: expect.any(Number),
    diskBytes: expect.any(Number),
  });
  expect(estimate?.seconds).toBeGreaterThan(0);
  // t ∈ {1,2,3} of 8 steps: 5, 6 or 7 steps without gradient, and one more that the reward looks at.
  expect(estimate?.notes?.[0]).toContain("2 × (7.0 forward, 2 with gradient, 1 reward)");
  expect(estimate?.notes?.[1]).toContain("22 trainable numbers in 2 adapters");
  const longer = (await dryRunTraining(inputs({ steps: 20 }), context())).estimate;
  expect((longer?.seconds ?? 0) / (estimate?.seconds ?? 1)).toBeGreaterThan(1.7);
});

test("every mistake at once", async () => {
  const dataset = fakeDataset(3, 0);
  const odd = { ...fakeExample(1), target: f32([1, 24, 32, 3], new Float32Array(24 * 32 * 3)) };
  const { issues = [], estimate } = await dryRunTraining(
    inputs({
      targets: "to_q, to_kk",
      rank: 3,
      reward: undefined,
      sigma_min: 0.4,
      window_end: 1,
      dataset: { ...dataset, example: async (split, k) => (k === 1 ? odd : dataset.example(split, k)) },
    }),
    context(),
  );
  expect(estimate).toBeUndefined();
  expect(issues.map((i) => i.input).sort()).toEqual(["dataset", "reward", "targets", "window_start"]);
  const of = (input: string) => issues.find((i) => i.input === input);
  expect(of("targets")).toMatchObject({ message: expect.stringContaining("to_kk"), hint: "did you mean to_k?" });
  expect(of("window_start")?.hint).toMatch(/t=8: 1\.000, t=7: 0\.\d{3}/);
  expect(of("dataset")?.message).toContain("32×24");
});

test("a rank that exceeds a Linear", async () => {
  const { issues } = await dryRunTraining(inputs({ rank: 3 }), context());
  expect(issues).toEqual([{ input: "rank", message: "rank 3 exceeds block.attn.to_k [3,2]", hint: "choose a rank of at most 2" }]);
});

test("samples of a dataset that holds nothing out: a word, as in the run", async () => {
  const { issues, estimate } = await dryRunTraining(inputs({ dataset: fakeDataset(3, 0) }), context());
  expect(issues).toEqual([]);
  expect(estimate?.notes).toContainEqual(expect.stringContaining("holds out no example"));
});

test("a disk that is too full", async () => {
  const { estimate } = await dryRunTraining(inputs(), context());
  const left = (bytes: number) => dryRunTraining(inputs(), { ...context(), freeSpace: async () => bytes });
  const need = estimate?.diskBytes ?? 0;
  expect((await left(need)).issues).toEqual([]);
  expect((await left(need - 1)).issues).toMatchObject([{ input: "rank", hint: expect.stringContaining("--out") }]);
});

test("a reward that only a real run can make is no mistake", async () => {
  const { issues } = await dryRunTraining(inputs({ reward: undefined }), context({ reward: ["5", 0] }));
  expect(issues).toEqual([]);
  expect((await dryRunTraining(inputs({ reward: undefined, mode: "sft" }), context())).issues).toEqual([]);
});

test("without its modules it says what it can", async () => {
  const { model: _m, vae: _v, dataset: _d, ...rest } = inputs();
  const { issues, estimate } = await dryRunTraining(rest, context());
  expect([issues, estimate]).toEqual([[], undefined]);
});

test("a dataset that only a run can make: no estimate, but a word", async () => {
  const { dataset: _, ...rest } = inputs();
  expect(await dryRunTraining(rest, context())).toEqual({
    issues: [],
    estimate: { notes: [expect.stringMatching(/^the dataset looks at pictures when it runs/)] },
  });
});
