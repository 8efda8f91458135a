import { expect, test } from "vitest";
import type { NodeContext } from "../../../engine/node/context.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { fakeContext } from "../../../test/fake-context.ts";
import { fakeClip, fakeDataset, fakeExample, fakeModel, fakeReward, fakeVae } from "../../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import { newAdapters } from "../loop/adapters.ts";
import { TRAIN_INPUTS, type TrainInputs } from "../train-options.ts";
import { modelCosts } from "./cost-model.ts";
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

test("a widget that is not there yet: nothing that depends on it is judged", async () => {
  const { denoise_steps: _, ...rest } = inputs();
  expect(await dryRunTraining(rest, context())).toEqual({ issues: [] });
});

test("a dataset that only a run can make: no estimate, but a word", async () => {
  const { dataset: _, ...rest } = inputs();
  expect(await dryRunTraining(rest, context())).toEqual({
    issues: [],
    estimate: { notes: [expect.stringMatching(/^the dataset looks at pictures when it runs/)] },
  });
});

const disk = async (changes: Partial<TrainInputs> = {}) => (await dryRunTraining(inputs(changes), context())).estimate?.diskBytes ?? 0;
const memory = async (changes: Partial<TrainInputs> = {}) => (await dryRunTraining(inputs(changes), context())).estimate?.memoryBytes ?? 0;
/** 22 numbers are trained: of 3 × 2 and 3 × 3 weights, at rank 2. */
const NUMBERS = 2 * (3 + 3) + 2 * (3 + 2);

test("disk: two checkpoints, the samples' pictures, a line per update; and what is kept", async () => {
  expect(NUMBERS).toBe(22);
  // A checkpoint holds the numbers and two moments, and the average where there is one.
  expect(await disk({ samples: 0 })).toBe(2 * 3 * 4 * NUMBERS + 10 * 1024);
  expect(await disk({ samples: 0, ema_decay: 0.9 })).toBe(2 * 4 * 4 * NUMBERS + 10 * 1024);
  // Ten updates with one sampling in two are drawn at 0, 2, 4, 6, 8 and 10; two examples are held out, of 32 × 16 pixels.
  const picture = 32 * 16 * 3;
  // Where samples are drawn, the best update is kept: its state and its LoRA.
  const kept = (3 + 1) * 4 * NUMBERS;
  expect(await disk({ samples: 1 })).toBe((await disk({ samples: 0 })) + kept + 6 * picture);
  expect(await disk({ samples: 9 })).toBe((await disk({ samples: 0 })) + kept + 6 * 2 * picture);
  expect(await disk({ samples: 1, sample_every: 3 })).toBe((await disk({ samples: 0 })) + kept + 5 * picture);
  expect(await disk({ samples: 1, sample_every: 10 })).toBe((await disk({ samples: 0 })) + kept + 2 * picture);
  expect(await disk({ samples: 3, dataset: fakeDataset(5, 0) })).toBe(await disk({ samples: 0 }));
  // Every third of ten updates: three times, of which the last two stay; each with its LoRA.
  expect(await disk({ samples: 0, keep_every: 3, keep_last: 9 })).toBe((await disk({ samples: 0 })) + 3 * kept);
  expect(await disk({ samples: 0, keep_every: 3, keep_last: 2 })).toBe((await disk({ samples: 0 })) + 2 * kept);
});

test("memory: what the process has, a session's share, the state, and the graphs that are run", async () => {
  const own = await memory();
  expect(own).toBeGreaterThan(1e6 + 350 * 2 ** 20);
  // One number more of each of the average's.
  expect((await memory({ ema_decay: 0.9 })) - own).toBe(4 * NUMBERS);
  // Without a reward nothing is decoded.
  expect(await memory({ mode: "sft" })).toBeLessThan(own);
});

/** On a machine whose products take 1 ms, and whose small nodes too: 8 products of 512³, 256 nodes. */
const [PER_FLOP, PER_NODE] = [1e-3 / (0.6 * 2 * 512 ** 3 * 8), 1e-3 / 256];

test("seconds: each evaluation by its operations and nodes, each picture of a sampling, and the reward for all of them", async () => {
  const seconds = async (changes: Partial<TrainInputs>) => (await dryRunTraining(inputs(changes), context())).estimate?.seconds ?? 0;
  const model = fakeModel().withAdapters(newAdapters(fakeModel(), ["to_q", "to_k"], 2, 2, 0));
  const names = new Set(model.adapters.flatMap((x) => [x.nameA, x.nameB]));
  const shape = {
    batch: 1,
    target: { h: 1, w: 2 },
    references: [{ h: 1, w: 1 }],
    prompt: model.prompt.shapes(2),
    convention: "diffusers",
  } as const;
  const { forward, backward, decode, decodeBackward } = modelCosts({
    model,
    vae: fakeVae,
    shape,
    trainable: names,
    memory: interpreterCompute().memory,
  });
  const cost = ({ flops, nodes }: { flops: number; nodes: number }) => flops * PER_FLOP + nodes * PER_NODE;
  // DRaFT-1 of 8 steps with the flow-matching loss: 8 evaluations, 2 with gradient, one picture, decoded for the reward and once more with gradient.
  const example = 8 * cost(forward) + 2 * cost(backward) + (decode.flops + decodeBackward.flops) * PER_FLOP;
  const draft = { mode: "draft", samples: 0 } as const;
  const rewarding = 1e-3;
  expect((await seconds(draft)) / (10 * 2 * (example + rewarding))).toBeCloseTo(1, 6);
  // Six samplings of one picture, then of both: 8 steps each, and the reward's look.
  const picture = (8 * forward.flops + decode.flops) * PER_FLOP + rewarding;
  expect((await seconds({ ...draft, samples: 1 })) - (await seconds(draft))).toBeCloseTo(6 * picture, 9);
  expect((await seconds({ ...draft, samples: 5 })) - (await seconds(draft))).toBeCloseTo(12 * picture, 9);
  // Without a reward nothing of it counts: one evaluation with gradient.
  expect((await seconds({ mode: "sft", samples: 0 })) / (10 * 2 * cost(backward))).toBeCloseTo(1, 6);
});

test("the notes: guided evaluations, tokens of target and references", async () => {
  const { estimate } = await dryRunTraining(inputs({ true_cfg_scale: 4 }), context());
  // Steps 5, 6 or 7 and one more, twice.
  expect(estimate?.notes?.[0]).toContain("2 × (14.0 forward, 2 with gradient, 1 reward)");
  expect(estimate?.notes?.[1]).toBe("22 trainable numbers in 2 adapters; 2 target tokens, 1 reference tokens, about 2 text tokens");
  expect(estimate?.notes?.some((note) => note.includes("calibrated"))).toBe(true);
});

test("a LoRA to start from: its own layers and ranks are counted; in the wrong model it is refused", async () => {
  const adapter = (target: string, rank: number, out: number, in_: number) => ({
    target,
    nameA: `theirs.${target}.A`,
    nameB: `theirs.${target}.B`,
    a: f32([rank, in_], new Float32Array(rank * in_).fill(1)),
    b: f32([out, rank], new Float32Array(out * rank).fill(1)),
    scale: 1,
  });
  const lora = { adapters: [adapter("block.attn.to_k", 1, 3, 2)], rank: 1, alpha: 1 };
  const run = async (changes: Partial<TrainInputs>) => dryRunTraining(inputs({ init_lora: lora, ...changes }), context());
  expect((await run({})).estimate?.notes?.[1]).toContain("5 trainable numbers in 1 adapters");
  expect((await run({ init_lora_as: "base" })).estimate?.notes?.[1]).toContain("22 trainable numbers in 2 adapters");
  const wide = { ...lora, adapters: [adapter("block.attn.to_k", 1, 3, 4)] };
  const refused = [{ input: "init_lora", message: "block.attn.to_k of init_lora fits no layer of the model", hint: expect.any(String) }];
  expect((await run({ init_lora: wide })).issues).toEqual(refused);
  expect((await run({ init_lora: { ...lora, adapters: [adapter("block.attn.to_k", 1, 4, 2)] } })).issues).toEqual(refused);
  // Trained on, its layers need not be among the targets; beside another LoRA these must be right.
  expect((await run({ targets: "nothing" })).issues).toEqual([]);
  expect((await run({ targets: "nothing", init_lora_as: "base" })).issues).toMatchObject([{ input: "targets" }]);
});

test("a rank that exceeds several Linears names the first, and the most that fits all", async () => {
  const linears = new Map([
    ["a.to_q", [5, 9]],
    ["a.to_k", [9, 4]],
    ["a.to_v", [9, 9]],
  ] as const);
  const { issues } = await dryRunTraining(
    { ...inputs({ rank: 6, targets: "to_q, to_k, to_v" }), model: { ...fakeModel(), linears } },
    context(),
  );
  expect(issues).toEqual([{ input: "rank", message: "rank 6 exceeds a.to_q [5,9] and 1 more", hint: "choose a rank of at most 4" }]);
  const { vae: _, ...fitting } = inputs({ rank: 4, targets: "to_q, to_k, to_v" });
  const fits = await dryRunTraining({ ...fitting, model: { ...fakeModel(), linears } }, context());
  expect(fits.issues).toEqual([]);
});

test("thirty-two examples of each split are looked at, and each that cannot be made is named", async () => {
  const asked: string[] = [];
  const dataset = {
    ...fakeDataset(40, 35),
    example: async (split: "train" | "heldOut", k: number) => {
      asked.push(`${split} ${k}`);
      if (k === 31) throw new Error("no such file");
      return fakeExample(k);
    },
  };
  const { issues } = await dryRunTraining(inputs({ dataset }), context());
  expect(asked).toEqual(["train", "heldOut"].flatMap((split) => Array.from({ length: 32 }, (_, k) => `${split} ${k}`)));
  expect(issues).toEqual([
    { input: "dataset", message: "example 31 (train): no such file" },
    { input: "dataset", message: "example 31 (heldOut): no such file" },
  ]);
  expect((await dryRunTraining(inputs({ dataset: fakeDataset(1, 0) }), context())).issues).toEqual([]);
  expect((await dryRunTraining(inputs({ dataset: fakeDataset(0, 2) }), context())).issues).toMatchObject([
    { message: "the dataset has no example to train on" },
  ]);
});

test("windows are looked at for every size of target, and only where the mode has one", async () => {
  const dataset = fakeDataset(3, 0);
  const large = { ...fakeExample(1), target: f32([1, 32, 64, 3], new Float32Array(32 * 64 * 3)) };
  const two = { ...dataset, example: async (_: "train" | "heldOut", k: number) => (k === 1 ? large : fakeExample(k)) };
  const { issues } = await dryRunTraining(inputs({ dataset: two, sigma_min: 0.9, window_end: 1 }), context());
  expect(issues?.map(({ message }) => message.split(":")[0])).toEqual(["pictures of 32×16", "pictures of 64×32"]);
  expect((await dryRunTraining(inputs({ dataset: two, sigma_min: 0.9, window_end: 1, mode: "draft" }), context())).issues).toEqual([]);
  const odd = { ...fakeExample(2), references: [f32([1, 16, 24, 3], new Float32Array(16 * 24 * 3))] };
  const bad = { ...dataset, example: async (_: "train" | "heldOut", k: number) => (k === 2 ? odd : fakeExample(k)) };
  expect((await dryRunTraining(inputs({ dataset: bad }), context())).issues).toMatchObject([
    { message: expect.stringMatching(/^reference 1 of fake:2 is 24×16/) },
  ]);
});
