import { expect, test } from "vitest";
import { AppError } from "../../engine/base/errors.ts";
import { readSafetensors } from "../../engine/formats/safetensors.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeDataset, fakeModel, fakeReward, noise, skippedReward } from "../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../test/interpreter-compute.ts";
import { type MemoryDirectory, memoryDirectory } from "../../test/memory-directory.ts";
import { fakeTrainInputs, trainFake } from "../../test/train-fake.ts";
import type { Adapter, DiffusionModel, Reward } from "../shared/contracts/modules.ts";
import { dryRunTraining } from "./cost/dry-run-training.ts";
import { loraNorm, newAdapters } from "./loop/adapters.ts";
import { fingerprintOf } from "./loop/fingerprint.ts";
import { TRAIN_INPUTS, type TrainInputs } from "./train-options.ts";
import node from "./train-rerefl.ts";

const inputs = fakeTrainInputs;

/** @param stopAfter updates in the metrics after which the run is stopped */
async function train(changes: Partial<TrainInputs> = {}, directories = new Map<string, MemoryDirectory>(), stopAfter?: number) {
  const result = await trainFake(changes, { directories, ...(stopAfter !== undefined && { stopAfter }) });
  return { ...result, logs: result.logs.map((line) => line.replace(/^\w+: /, "")) };
}

const metricsOf = (dir: MemoryDirectory | undefined): Record<string, number>[] =>
  new TextDecoder()
    .decode(dir?.files.get("metrics.jsonl"))
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));

test("a run: directory, metrics with held-out rewards, samples, estimate; the result carries the trained weights", async () => {
  const { lora, model, directories, ctx } = await train({ sample_every: 2, ema_decay: 0.5 });
  const [[name, dir] = ["", undefined]] = directories;
  expect(name).toBe(`train-${fingerprintOf(inputs({ sample_every: 2, ema_decay: 0.5 }), node.version).slice(0, 12)}`);
  expect(ctx.shown).toEqual([{ training: [{ directory: name, updates: 4 }] }]);
  expect([...(dir?.files.keys() ?? [])].sort()).toEqual(
    [
      "checkpoint.safetensors",
      "checkpoints/checkpoint-best.safetensors",
      "config.json",
      "estimate.json",
      "events.out.tfevents.whos-who",
      "metrics.jsonl",
      "samples/0-reference-0.png",
      "checkpoints/lora-best.safetensors",
      "samples/0-step-000000.png",
      "samples/0-step-000002.png",
      "samples/0-step-000004.png",
      "samples/0-target.png",
      "samples/scores.json",
      "samples/sheet.html",
      "timings.jsonl",
    ].sort(),
  );
  const metrics = metricsOf(dir);
  expect(metrics.map((m) => "held_out.reward" in m)).toEqual([false, true, false, true]);
  expect(metrics[0]).toMatchObject({ reward: expect.any(Number), "reward.raw": expect.any(Number), loss_pretrain: expect.any(Number) });
  expect(metrics[3]?.lora_norm).toBeGreaterThan(metrics[1]?.lora_norm ?? Number.POSITIVE_INFINITY);
  expect(model.adapters).toEqual(lora.adapters);
  expect(lora).toMatchObject({ rank: 2, alpha: 2 });
  for (const { b } of lora.adapters) expect(b.data.some((x) => x !== 0)).toBe(true);
});

/** How bright the picture is: something that few weights can change. */
const bright: Reward = {
  id: "bright",
  name: "bright",
  observe: () => Promise.resolve({ structure: "", constants: {}, info: {} }),
  build: (b, image) => ({ reward: b.mean(image, [], false), parts: {} }),
};

test.each(["rerefl", "draft", "draft_lv", "flowbp_sparse", "id_loss"] as const)(
  "training by %s raises the held-out reward",
  async (mode) => {
    const changes = { mode, reward: bright, steps: 15, lambda: 0, sample_every: 1, learning_rate: 0.1, k: 3, window_end: 3 } as const;
    const { directories } = await train(changes);
    const held = [...directories.values()].flatMap((dir) => metricsOf(dir)).map((m) => m["held_out.reward"] ?? 0);
    expect(held.at(-1)).toBeGreaterThan((held[0] ?? 0) + 0.002);
  },
);

/** Rewards the opposite of `bright`. */
const dark: Reward = { ...bright, id: "dark", build: (b, image) => ({ reward: b.neg(b.mean(image, [], false)), parts: {} }) };

test("a constraint holds the reward back: λ grows, is carried through a stop, and the result is the same", async () => {
  const changes = { reward: bright, constraint: dark, constraint_min: -0.45, constraint_rate: 5, steps: 8, lambda: 0, checkpoint_every: 3 };
  const { directories: whole, lora } = await train(changes);
  const metrics = [...whole.values()].flatMap((dir) => metricsOf(dir));
  for (const m of metrics) {
    expect(m["reward.constraint"]).toBeCloseTo(-(m["reward.objective"] ?? 0), 5);
    expect(m["held_out.reward.objective"] === undefined).toBe((m.step ?? 0) % 2 !== 0);
  }
  const duals = metrics.map((m) => m.constraint_dual ?? 0);
  expect(duals.every((x, k) => x > (duals[k - 1] ?? 0))).toBe(true);
  const [[name, dir] = ["", memoryDirectory()]] = whole;
  const interrupted = new Map([[name, memoryDirectory()]]);
  await expect(train(changes, interrupted, 5)).rejects.toMatchObject({ code: "CANCELLED" });
  const rest = await train(changes, interrupted);
  expect(rest.lora).toEqual(lora);
  expect(interrupted.get(name)?.files.get("metrics.jsonl")).toEqual(dir.files.get("metrics.jsonl"));
});

test("a result can be trained on: its adapters have names of their own", async () => {
  const directories = new Map<string, MemoryDirectory>();
  const first = await train({ mode: "sft" }, directories);
  const second = await train({ mode: "sft", model: first.model }, directories);
  const names = second.model.adapters.flatMap((a) => [a.nameA, a.nameB]);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toHaveLength(8);
  expect(directories.size).toBe(2);
  expect(second.lora.adapters).toHaveLength(2);
});

test("the folder follows from what decides the weights, and from nothing else", () => {
  const of = (changes: Partial<TrainInputs>) => fingerprintOf(inputs(changes), "1");
  const base = of({});
  for (const same of [
    { steps: 9 },
    { checkpoint_every: 3 },
    { sample_every: 3 },
    { samples: 0 },
    { on_trouble: "stop" as const },
    { keep_every: 2 },
    { keep_last: 1 },
  ])
    expect(of(same)).toBe(base);
  for (const other of [
    { seed: 1 },
    { lambda: 2 },
    { reward: { ...fakeReward, id: "other" } },
    { dataset: fakeDataset(6) },
    { rank: 1 },
    { anchor_beta: 1 },
  ])
    expect(of(other)).not.toBe(base);
  expect(of({ lr_schedule: "cosine", steps: 9 })).not.toBe(of({ lr_schedule: "cosine", steps: 8 }));
});

test("a reward is needed by every mode but sft", async () => {
  await expect(train({ reward: undefined })).rejects.toMatchObject({ code: "TRAIN_REWARD" });
  await train({ reward: undefined, mode: "sft", steps: 1 });
});

test("‖B·A‖ of the adapters", async () => {
  const adapters = newAdapters(fakeModel(), ["to_q", "to_k"], 2, 3, 1);
  const params = new Map(
    adapters.flatMap(({ nameA, nameB, a, b }, i) => [[nameA, a.data] as const, [nameB, noise(i, b.shape).data] as const]),
  );
  let sum = 0;
  for (const { a, b, nameB, scale } of adapters) sum += square({ a, scale, b: { ...b, data: params.get(nameB) ?? b.data } });
  expect(await loraNorm(interpreterCompute(), adapters, params)).toBeCloseTo(Math.sqrt(sum), 5);
});

function square({ a, b, scale }: Pick<Adapter, "a" | "b" | "scale">): number {
  const [rank = 0, in_ = 0] = a.shape;
  const [out = 0] = b.shape;
  let sum = 0;
  for (let o = 0; o < out; o++)
    for (let i = 0; i < in_; i++) {
      let x = 0;
      for (let r = 0; r < rank; r++) x += (b.data[o * rank + r] ?? 0) * (a.data[r * in_ + i] ?? 0);
      sum += (scale * x) ** 2;
    }
  return sum;
}

test("new adapters change nothing at first; unknown targets and too large ranks are refused", () => {
  const adapters = newAdapters(fakeModel(), ["attn.to_q"], 1, 4, 7);
  expect(adapters.map((x) => [x.target, x.a.shape, x.b.shape, x.scale])).toEqual([["block.attn.to_q", [1, 3], [3, 1], 4]]);
  expect(adapters[0]?.b.data.every((x) => x === 0)).toBe(true);
  expect(adapters[0]?.a.data.every((x) => x !== 0 && Math.abs(x) <= 1 / Math.sqrt(3))).toBe(true);
  expect(() => newAdapters(fakeModel(), ["o_q"], 1, 1, 0)).toThrow(expect.objectContaining({ code: "LORA_TARGETS" }));
  expect(() => newAdapters(fakeModel(), ["to_k"], 3, 1, 0)).toThrow(expect.objectContaining({ code: "LORA_RANK" }));
});

test("a model with one weight that is not a number: the run ends, and names place and weight", async () => {
  const sick = (of: DiffusionModel): DiffusionModel => ({
    ...of,
    build(b, values) {
      const bad = b.weight("dit.bad", "float32", [1], { kind: "host", tensor: f32([1], [Number.NaN]) });
      return b.add(of.build(b, values), b.mul(bad, 1));
    },
    findNotFinite: async () => "m.safetensors: dit.bad",
    withAdapters: (adapters) => sick(of.withAdapters(adapters)),
  });
  await expect(train({ model: sick(fakeModel()), steps: 20 })).rejects.toMatchObject({
    code: "TRAIN_NAN",
    message: expect.stringMatching(/^sample 1 at update 0 is lost: the model's velocity .*; so is m\.safetensors: dit\.bad/),
  });
  await expect(train({ model: sick(fakeModel()), steps: 20, samples: 0 })).rejects.toMatchObject({
    code: "TRAIN_NAN",
    message: expect.stringMatching(
      /first in update 1: the model's velocity at σ .* is NaN at 0 \(example fake:\d\); so is m\.safetensors: dit\.bad/,
    ),
  });
});

test("samples, held-out numbers and lora_norm are those of what is exported", async () => {
  const changes = { reward: bright, lambda: 0, learning_rate: 0.1, ema_decay: 0.9, steps: 6 };
  const { lora, model, directories } = await train(changes);
  const last = [...directories.values()].flatMap((dir) => metricsOf(dir)).at(-1);
  expect(last?.lora_norm).toBeCloseTo(Math.sqrt(lora.adapters.reduce((sum, a) => sum + square(a), 0)), 5);
  // The same picture drawn with the exported model and no training at all.
  const { directories: again } = await train({ ...changes, model, steps: 1, learning_rate: 0, ema_decay: 0 });
  const drawn = [...again.values()].flatMap((dir) => metricsOf(dir)).at(-1);
  expect(last?.["held_out.reward"]).toBeCloseTo(drawn?.["held_out.reward"] ?? 0, 5);
});

test("what the dry run would refuse by the settings, the run refuses before it touches the dataset", async () => {
  const untouched = { ...fakeDataset(), example: () => Promise.reject(new Error("the dataset was touched")) };
  const changes = { targets: "to_q, foo_bar", dataset: untouched };
  await expect(train(changes)).rejects.toMatchObject({ code: "TRAIN_SETTINGS", message: "no Linear of the model is or ends with foo_bar" });
  const { issues } = await dryRunTraining(inputs(changes), fakeContext(interpreterCompute()));
  expect(issues?.[0]?.message).toBe("no Linear of the model is or ends with foo_bar");
  await expect(train({ rank: 9, dataset: untouched })).rejects.toMatchObject({ code: "TRAIN_SETTINGS" });
});

test("samples of a dataset that holds nothing out are missed aloud", async () => {
  const { logs } = await train({ dataset: fakeDataset(3, 0), steps: 1 });
  expect(logs[0]).toMatch(/holds out no example/);
});

test("a run that learns nothing says why, or stops", async () => {
  expect((await train({ learning_rate: 0 })).logs).toContainEqual(expect.stringMatching(/^learning_rate is 0/));
  await expect(train({ alpha: 0, on_trouble: "stop" })).rejects.toMatchObject({
    code: "TRAIN_WATCH",
    message: expect.stringMatching(/^alpha is 0/),
  });
  const { logs } = await train({ reward: skippedReward, lambda: 0, steps: 6 });
  expect(logs).toContainEqual(expect.stringMatching(/exactly 0 for 5 updates/));
  expect(logs).toContainEqual(expect.stringMatching(/the reward had nothing to say about any picture of 5 updates/));
});

test("config.json and the LoRA's metadata say what the run was made with", async () => {
  const { lora, directories } = await train({ steps: 1, learning_rate: 0.03 });
  const config = JSON.parse(new TextDecoder().decode([...directories.values()][0]?.files.get("config.json")));
  expect(config).toMatchObject({
    node: "TrainReReFL",
    learning_rate: 0.03,
    dataset: fakeDataset().id,
    reward: fakeReward.id,
    model: fakeModel().id,
    graph: {},
  });
  expect(Object.keys(config)).toEqual(expect.arrayContaining(Object.keys(TRAIN_INPUTS)));
  expect(lora.about).toMatchObject({
    "modelspec.architecture": "fake-qwen/lora",
    ss_network_dim: "2",
    ss_network_alpha: "2",
    ss_steps: "1",
    "modelspec.trigger_phrase": "p",
  });
  const { fingerprint: _f, graph: _g, forked_from: _o, ...settings } = config;
  expect(JSON.parse(lora.about?.["whos_who.settings"] ?? "")).toEqual(settings);
});

test("LoRAs are kept along the way: the newest few and the best; a sheet shows update 0 and what came of it", async () => {
  const changes = { reward: bright, lambda: 0, learning_rate: 0.1, steps: 6, keep_every: 1, keep_last: 2, sample_every: 3 };
  const { directories, lora } = await train(changes);
  const [dir] = directories.values();
  const files = [...(dir?.files.keys() ?? [])].filter((name) => name.startsWith("checkpoints/")).sort();
  expect(files).toEqual([
    "checkpoints/checkpoint-000005.safetensors",
    "checkpoints/checkpoint-000006.safetensors",
    "checkpoints/checkpoint-best.safetensors",
    "checkpoints/lora-000005.safetensors",
    "checkpoints/lora-000006.safetensors",
    "checkpoints/lora-best.safetensors",
  ]);
  const { tensors, metadata } = readSafetensors(dir?.files.get("checkpoints/lora-000006.safetensors") ?? new Uint8Array());
  expect(tensors.get("diffusion_model.block.attn.to_q.lora_B.weight")?.data).toEqual(
    lora.adapters.find((a) => a.target.endsWith("to_q"))?.b.data,
  );
  expect(metadata.ss_network_dim).toBe("2");
  const html = new TextDecoder().decode(dir?.files.get("samples/sheet.html"));
  expect(html).toMatch(/reference 1.*target.*update 0, reward [\d.]+.*update 3, reward.*update 6, reward/);
});

test("each mode shows its own widgets only; what was set for another is said to have no effect", async () => {
  const shown = (mode: string) =>
    Object.entries(TRAIN_INPUTS).flatMap(([name, spec]) =>
      spec.kind === "widget" && spec.hints.onlyFor?.values.some((value) => value === mode) ? [name] : [],
    );
  expect(shown("sft")).toEqual([]);
  expect(shown("draft")).toEqual(["reward_weight", "k", "anchor_beta", "constraint_min", "constraint_rate", "constraint_max", "guardrail"]);
  expect(shown("rerefl")).toContain("window_end");
  const { logs } = await train({ mode: "sft", k: 3, sigma_min: 0.2, steps: 1, window_end: 11 });
  expect(logs).toContainEqual("mode sft does not read sigma_min, k: what was set there has no effect");
  expect((await train({ steps: 1 })).logs.filter((line) => line.includes("does not read"))).toEqual([]);
});

test("only a lost picture asks after the model's weights: another error of a sample stays what it is", async () => {
  const model: DiffusionModel = { ...fakeModel(), findNotFinite: async () => "a.safetensors: w" };
  const failing: Reward = { ...bright, observe: async () => Promise.reject(new AppError("REWARD_GONE", "the detector is gone")) };
  await expect(train({ model, reward: failing })).rejects.toMatchObject({ code: "REWARD_GONE", message: "the detector is gone" });
});

test("an update that was left out does not spoil the samples after it", async () => {
  const data = fakeDataset();
  const trained = new Set(await Promise.all([0, 1, 2, 3, 4].map(async (k) => (await data.example("train", k)).target.data[0])));
  let looked = 0;
  // NaN for the second update's pictures, of the training only.
  const sometimes: Reward = {
    ...bright,
    observe: async (_, { target }) => ({
      structure: "",
      constants: { times: f32([], [trained.has(target?.image.data[0] ?? 0) && [3, 4].includes(++looked) ? Number.NaN : 1]) },
      info: {},
    }),
    build: (b, image, { times }) => ({ reward: times ? b.mul(b.mean(image, [], false), times) : b.scalar(0), parts: {} }),
  };
  const { directories, logs } = await train({ reward: sometimes, sample_every: 1, steps: 3, accumulate: 2 });
  const [dir] = directories.values();
  expect(metricsOf(dir).map((m) => [m.skipped_update, typeof m["held_out.reward"]])).toEqual([
    [0, "number"],
    [1, "number"],
    [0, "number"],
  ]);
  expect(logs.filter((line) => line.includes("was left out"))).toHaveLength(1);
});
