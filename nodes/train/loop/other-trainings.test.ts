import { expect, test } from "vitest";
import { fakeContext } from "../../../test/fake-context.ts";
import { type MemoryDirectory, memoryDirectory } from "../../../test/memory-directory.ts";
import { encodeCheckpoint } from "./checkpoint.ts";
import { forkInto } from "./fork.ts";
import { KeptLoras, keptState } from "./kept-loras.ts";
import { aboutOther, CONFIG, otherTrainings, type Settings } from "./other-trainings.ts";
import { dropLinesAfter, metricRows } from "./run-log.ts";
import { CHECKPOINT, freshState } from "./train-loop.ts";

const text = (value: string) => new TextEncoder().encode(value);
const own = { node: "TrainReReFL", model: "m", rank: 4, learning_rate: 0.1, steps: 9, reward: "r", constraint: null, negative_prompt: "" };

/** An output directory with these trainings' settings. */
function world(
  trainings: Readonly<Record<string, Settings | string>>,
  files: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>> = {},
) {
  const directories = new Map<string, MemoryDirectory>();
  for (const [name, settings] of Object.entries(trainings)) {
    const dir = memoryDirectory();
    dir.files.set(CONFIG, text(typeof settings === "string" ? settings : JSON.stringify(settings)));
    for (const [file, bytes] of Object.entries(files[name] ?? {})) dir.files.set(file, bytes);
    directories.set(name, dir);
  }
  return {
    ...fakeContext(),
    runRecords: async (file: string) => new Map([...directories].map(([name, dir]) => [name, dir.files.get(file) ?? new Uint8Array()])),
    runDirectory: async (name: string) => directories.get(name) ?? memoryDirectory(),
  };
}

test("trainings beside this one, the most similar first: what differs in words, and what keeps a state from fitting", async () => {
  const ctx = world({
    "train-far": { ...own, rank: 8, learning_rate: 0.2, reward: null },
    "train-own": own,
    "train-near": { ...own, learning_rate: 0.2 },
    "train-other": { ...own, node: "PretrainVAE" },
    "train-torn": '{"node":',
    "train-list": "[1]",
  });
  const found = await otherTrainings(ctx, "train-own", own);
  expect(found.map(({ directory, differences, unfit }) => ({ directory, differences, unfit }))).toEqual([
    { directory: "train-near", differences: ["learning_rate 0.2 → 0.1"], unfit: [] },
    { directory: "train-far", differences: ["rank 8 → 4", "learning_rate 0.2 → 0.1", "reward added"], unfit: ["rank"] },
  ]);
  expect(await otherTrainings(fakeContext(), "train-own", own)).toEqual([]);
});

test("differences: identities by what happened to them, texts in quotes and shortened, what decides no number not at all", async () => {
  const differences = async (other: Settings) => (await otherTrainings(world({ t: { ...own, ...other } }), "o", own))[0]?.differences;
  expect(await differences({ model: "n", reward: "s" })).toEqual(["another model", "another reward"]);
  expect(await differences({ constraint: "c" })).toEqual(["without constraint"]);
  expect(await differences({ negative_prompt: "blurry" })).toEqual(['negative_prompt "blurry" → ""']);
  const long = "x".repeat(59);
  expect(await differences({ negative_prompt: long })).toEqual([`negative_prompt "${long}… → ""`]);
  expect(await differences({ negative_prompt: "x".repeat(58) })).toEqual([`negative_prompt "${"x".repeat(58)}" → ""`]);
  expect(await differences({ checkpoint_every: 3, samples: 1, keep_last: 2, fork_from: "t", graph: {}, version: "0" })).toEqual([]);
  // A setting that only the other has, or only this one.
  expect(await differences({ beta: 2 })).toEqual(["beta 2 → none"]);
  expect(await differences({ steps: undefined })).toEqual(["steps none → 9"]);
});

test("what is said of the most similar one: how far it came, and how to go on from it", async () => {
  const metrics = { "metrics.jsonl": text('{"step":1,"loss":1}\n{"step":2,"loss":1}\n{"step":3,"lo') };
  const about = async (trainings: Record<string, Settings>, files = {}) => {
    const ctx = world(trainings, files);
    return aboutOther(ctx, "train-own", await otherTrainings(ctx, "train-own", own));
  };
  expect(await about({ "train-a": { ...own, learning_rate: 0.2 } }, { "train-a": metrics })).toBe(
    "the output directory holds train-a already: 3 of 9 updates, with other settings: learning_rate 0.2 → 0.1. This run starts anew in train-own; " +
      "to continue from its state with the current settings instead, in a folder of its own: --set 1.fork_from=train-a",
  );
  expect(await about({ "train-a": { ...own, rank: 1 }, "train-b": { ...own, rank: 1, steps: 3 } })).toMatch(
    /holds train-a already \(and 1 more\): 0 of 9 updates.*its state does not fit, because of rank; to start from its LoRA/,
  );
  expect(await about({ "train-a": own })).toMatch(/by another version of the program/);
  expect(await about({})).toBeUndefined();
});

const stateOf = (value: number, step: number) => {
  const state = freshState(new Map([["w", new Float32Array(2).fill(value)]]), new Map([["w", [2]]]), false);
  state.adam.step = step;
  state.carried.best = 0.5;
  state.carried.left_out = 3;
  state.carried.dual = 0.25;
  return state;
};

test("a fork takes the other's newest state, or a kept one, without what cannot be compared", async () => {
  const files = {
    "train-a": { [CHECKPOINT]: encodeCheckpoint(stateOf(7, 5), "f"), [keptState(3)]: encodeCheckpoint(stateOf(6, 3), "f") },
  };
  const ctx = world({ "train-a": { ...own, learning_rate: 0.2 } }, files);
  const others = await otherTrainings(ctx, "train-own", own);
  const into = async (from: string, steps: number) => {
    const state = stateOf(0, 0);
    return { state, record: await forkInto(ctx, from, others, state, steps) };
  };
  const newest = await into("train-a", 6);
  expect(newest.record).toEqual({ directory: "train-a", update: 5, differences: ["learning_rate 0.2 → 0.1"] });
  expect([...(newest.state.params.get("w") ?? [])]).toEqual([7, 7]);
  expect(newest.state.carried).toEqual({ dual: 0.25, left_out: 0 });
  const kept = await into("train-a@3", 4);
  expect([kept.record.update, ...(kept.state.params.get("w") ?? [])]).toEqual([3, 6, 6]);
  await expect(into("train-a", 5)).rejects.toMatchObject({ code: "TRAIN_FORK", hint: "set steps above 5" });
  await expect(into("train-a@4", 9)).rejects.toMatchObject({ code: "TRAIN_FORK", hint: expect.stringContaining("keep_every") });
  await expect(into("train-b", 9)).rejects.toMatchObject({ hint: "there are train-a" });
  await expect(forkInto(ctx, "train-b", [], stateOf(0, 0), 9)).rejects.toMatchObject({ hint: expect.stringContaining("--out") });
});

test("a state that does not fit is refused with the settings that decide it, and no others", async () => {
  const ctx = world({ "train-a": { ...own, rank: 8, learning_rate: 0.2 }, "train-b": { ...own, learning_rate: 0.2 } });
  const others = await otherTrainings(ctx, "train-own", own);
  await expect(forkInto(ctx, "train-a", others, stateOf(0, 0), 9)).rejects.toMatchObject({
    message: "the state of train-a does not fit: rank 8 → 4",
    hint: "set rank as they were; or export its LoRA and connect it as init_lora",
  });
  await expect(forkInto(ctx, "train-b", others, stateOf(0, 0), 9)).rejects.toMatchObject({
    message: `train-b holds no ${CHECKPOINT}`,
    hint: "it has not come to its first checkpoint",
  });
});

test("the newest few LoRAs and states are kept, and the best; a run that began again drops none of later numbers", async () => {
  const dir = memoryDirectory();
  const kept = new KeptLoras(dir, 2);
  const bytes = (n: number) => Uint8Array.of(n);
  await kept.best(bytes(9), bytes(8));
  for (const step of [10, 20, 30]) await kept.add(step, bytes(step), bytes(step + 1));
  const names = () => [...dir.files.keys()].sort();
  expect(names()).toEqual([
    "checkpoints/checkpoint-000020.safetensors",
    "checkpoints/checkpoint-000030.safetensors",
    "checkpoints/checkpoint-best.safetensors",
    "checkpoints/lora-000020.safetensors",
    "checkpoints/lora-000030.safetensors",
    "checkpoints/lora-best.safetensors",
  ]);
  expect([dir.files.get(keptState(20)), dir.files.get("checkpoints/lora-000020.safetensors")]).toEqual([bytes(21), bytes(20)]);
  await kept.add(25, bytes(1), bytes(2));
  expect(names().filter((name) => name.includes("lora"))).toEqual([
    "checkpoints/lora-000020.safetensors",
    "checkpoints/lora-000025.safetensors",
    "checkpoints/lora-000030.safetensors",
    "checkpoints/lora-best.safetensors",
  ]);
});

test("lines of updates that will be repeated are dropped, and unfinished ones; nothing is written where all may stay", async () => {
  const dir = memoryDirectory();
  const lines = '{"step":1,"loss":1}\n{"step":2,"loss":null}\n{"step":3,"loss":3}\n';
  dir.files.set("metrics.jsonl", text(lines));
  dir.files.set("timings.jsonl", text('{"step":1,"seconds":1}\n{"step":2,"sec'));
  const writes: string[] = [];
  dir.beforeWrite = (_, file) => void writes.push(file);
  await dropLinesAfter(dir, 3);
  expect(writes).toEqual(["timings.jsonl"]);
  expect(new TextDecoder().decode(dir.files.get("timings.jsonl"))).toBe('{"step":1,"seconds":1}\n');
  expect(await metricRows(dir)).toEqual([
    { step: 1, row: { loss: 1 } },
    { step: 2, row: { loss: null } },
    { step: 3, row: { loss: 3 } },
  ]);
  await dropLinesAfter(dir, 2);
  expect(new TextDecoder().decode(dir.files.get("metrics.jsonl"))).toBe('{"step":1,"loss":1}\n{"step":2,"loss":null}\n');
  // A last line without its end is not trusted, even when it is whole.
  dir.files.set("metrics.jsonl", text('{"step":1,"loss":1}\n{"step":2,"loss":2}'));
  await dropLinesAfter(dir, 2);
  expect(new TextDecoder().decode(dir.files.get("metrics.jsonl")).endsWith("\n")).toBe(true);
  expect(await metricRows(memoryDirectory())).toEqual([]);
  await dropLinesAfter(memoryDirectory(), 0);
});
