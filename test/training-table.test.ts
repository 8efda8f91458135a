// What happens in the cases that go wrong without a word in other trainers: each is run, and the answers are docs/training.md.
// UPDATE_DOCS=1 npx vitest run test/training-table.test.ts writes the table.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AppError, toAppError } from "../engine/base/errors.ts";
import { writeLora } from "../engine/formats/lora-file.ts";
import { f32 } from "../engine/tensor/tensor.ts";
import type { Dataset, Example } from "../nodes/shared/contracts/data.ts";
import type { DiffusionModel, Vae } from "../nodes/shared/contracts/modules.ts";
import { dryRunTraining } from "../nodes/train/cost/dry-run-training.ts";
import evaluateEdits from "../nodes/train/evaluate-edits.ts";
import { ignoredSettings, type TrainInputs } from "../nodes/train/train-options.ts";
import trainNode from "../nodes/train/train-rerefl.ts";
import { clipCases } from "./clip-cases.ts";
import { datasetCases } from "./dataset-cases.ts";
import { fakeContext } from "./fake-context.ts";
import { fakeClip, fakeDataset, fakeExample, fakeModel, fakeReward, fakeVae, skippedReward } from "./fake-diffusion.ts";
import { fakeDetector, fakeEncoder } from "./fake-face-models.ts";
import { interpreterCompute } from "./interpreter-compute.ts";
import { type MemoryDirectory, memoryDirectory } from "./memory-directory.ts";
import { fakeTrainInputs, trainFake } from "./train-fake.ts";

const FILE = join(import.meta.dirname, "../docs/training.md");
const START = "<!-- cases -->";
const END = "<!-- /cases -->";
const modules = { model: fakeModel(), vae: fakeVae, clip: fakeClip, dataset: fakeDataset(), reward: fakeReward };

const inputs = (changes: Partial<TrainInputs>): TrainInputs =>
  fakeTrainInputs({ steps: 6, accumulate: 1, learning_rate: 0.01, denoise_steps: 2, samples: 0, ...changes });

/** The warnings of a run, or the error it ended with. */
async function outcome(changes: Partial<TrainInputs>, dir: MemoryDirectory = memoryDirectory()): Promise<string> {
  const ctx = { ...fakeContext(interpreterCompute()), runDirectory: async () => dir };
  try {
    await trainNode.run(inputs(changes), ctx, {});
  } catch (error) {
    const { code, message, hint } = toAppError(error);
    return `ends: ${code}, “${message}”${hint ? ` (${hint})` : ""}`;
  }
  const warnings = ctx.logs.filter((line) => line.startsWith("warn: ")).map((line) => `“${line.slice(6)}”`);
  return warnings.length > 0 ? `continues, and warns: ${warnings.join("; ")}` : "continues without a warning";
}

const sick = (of: DiffusionModel): DiffusionModel => ({
  ...of,
  build: (b, values) => b.add(of.build(b, values), b.weight("dit.bad", "float32", [1], { kind: "host", tensor: f32([1], [Number.NaN]) })),
  findNotFinite: async () => "model.safetensors: transformer_blocks.0.attn.to_q.weight",
  withAdapters: (adapters) => sick(of.withAdapters(adapters)),
});

async function damaged(change: (bytes: Uint8Array) => Uint8Array): Promise<string> {
  const dir = memoryDirectory();
  await outcome({ steps: 2 }, dir);
  dir.files.set("checkpoint.safetensors", change(dir.files.get("checkpoint.safetensors")?.slice() ?? new Uint8Array()));
  return outcome({ steps: 2 }, dir);
}

const flipped = (bytes: Uint8Array): Uint8Array => bytes.with(bytes.length - 9, (bytes.at(-9) ?? 0) ^ 4);

async function threw(work: () => unknown): Promise<string> {
  try {
    await work();
    return "continues without a warning";
  } catch (error) {
    const { code, message } = toAppError(error);
    return `refused: ${code}, “${message}”`;
  }
}

const lora = (scale: number, b: number) => ({
  adapters: [
    {
      target: "to_q",
      nameA: "a",
      nameB: "b",
      a: f32([2, 3], new Float32Array(6).fill(1)),
      b: f32([3, 2], new Float32Array(6).fill(b)),
      scale,
    },
  ],
  rank: 2,
  alpha: 2 * scale,
});

/** What a second run in the output directory of a finished one is told. */
async function second(changes: Partial<TrainInputs>, first: Partial<TrainInputs> = {}): Promise<string> {
  const { directories } = await trainFake({ steps: 3, ...first });
  const [source = ""] = directories.keys();
  const hidden = (text: string) =>
    [...directories.keys()].reduce((t, name) => t.replaceAll(name, name === source ? "train-a" : "train-b"), text);
  const own = changes.fork_from === "SOURCE" ? { ...changes, fork_from: source } : changes;
  try {
    const { logs } = await trainFake({ steps: 3, ...first, ...own }, { directories });
    const told = logs.filter((line) => !line.startsWith("info: estimated")).map((line) => `“${hidden(line.replace(/^\w+: /, ""))}”`);
    return `continues: ${told.join("; ")}`;
  } catch (error) {
    const { code, message, hint } = toAppError(error);
    return `ends: ${code}, “${hidden(message)}”${hint ? ` (${hidden(hint)})` : ""}`;
  }
}

/** A run of 4 updates, one of whose files is then changed: what the next run says, which makes 5. */
async function damagedRecord(file: string, change: (bytes: Uint8Array) => Uint8Array): Promise<string> {
  const dir = memoryDirectory();
  await outcome({ steps: 4, samples: 1 }, dir);
  dir.files.set(file, change(dir.files.get(file) ?? new Uint8Array()));
  return outcome({ steps: 5, samples: 1 }, dir);
}
const half = (bytes: Uint8Array): Uint8Array => bytes.slice(0, bytes.length / 2);

/** Every answer to a checkpoint that ends early, each once. */
async function truncated(every: number): Promise<string> {
  const dir = memoryDirectory();
  await outcome({ steps: 2 }, dir);
  const whole = dir.files.get("checkpoint.safetensors") ?? new Uint8Array();
  const told = new Set<string>();
  for (let length = 0; length < whole.length; length += every) {
    dir.files.set("checkpoint.safetensors", whole.slice(0, length));
    told.add((await outcome({ steps: 2 }, dir)).replace(/cannot be read: [^”]*/, "cannot be read: …"));
  }
  return [...told].join("; ");
}

/** The disk fills up while a file is written; then there is room again. */
async function diskFull(): Promise<string> {
  const [dir, free] = [memoryDirectory(), memoryDirectory()];
  await outcome({ steps: 6, checkpoint_every: 2 }, free);
  dir.beforeWrite = (_, file) => {
    if (file === "checkpoint.safetensors" && dir.files.has(file))
      throw new AppError("STORE_DISK_FULL", `cannot write ${file}: the disk is full`);
  };
  const first = await outcome({ steps: 6, checkpoint_every: 2 }, dir);
  dir.beforeWrite = undefined;
  await outcome({ steps: 6, checkpoint_every: 2 }, dir);
  const isSame = Buffer.from(dir.files.get("checkpoint.safetensors") ?? []).equals(
    Buffer.from(free.files.get("checkpoint.safetensors") ?? []),
  );
  return `${first}; the same command then continues from the checkpoint before it, and its result is ${isSame ? "the same" : "another"}`;
}

const withNaN =
  (build: Vae["encode"]["build"]): Vae["encode"]["build"] =>
  (b, x) =>
    b.add(build(b, x), b.constant(f32([1], [Number.NaN])));
const nanData = (n: number) => new Float32Array(n).fill(Number.NaN);
/** Every example changed. */
const examplesWith = (change: (e: Example) => Partial<Example>): Dataset => {
  const own = fakeDataset();
  return {
    ...own,
    id: "changed",
    async example(split, index) {
      const e = await own.example(split, index);
      return { ...e, ...change(e) };
    },
  };
};
const clockBackwards = async (): Promise<string> => {
  let time = 1e6;
  const dir = memoryDirectory();
  const ctx = { ...fakeContext(interpreterCompute()), runDirectory: async () => dir, now: () => (time -= 1000) };
  await trainNode.run(inputs({}), ctx, {});
  return ctx.logs.some((line) => line.startsWith("warn")) ? ctx.logs.join("; ") : "continues without a warning";
};

const theirs = { ...lora(1, 1), adapters: lora(1, 1).adapters.map((x) => ({ ...x, target: "block.attn.to_q" })) };

const CASES: readonly (readonly [what: string, happens: () => Promise<string>])[] = [
  ["one NaN weight in the model", () => outcome({ model: sick(fakeModel()) })],
  ["the same, found by the first sample", () => outcome({ model: sick(fakeModel()), samples: 1 })],
  ["a LoRA of NaN is saved", () => threw(() => writeLora(lora(1, Number.NaN), "comfyui", "bfloat16"))],
  ["learning rate 0", () => outcome({ learning_rate: 0 })],
  ["alpha 0", () => outcome({ alpha: 0 })],
  ["the loss and the reward both weigh 0", () => outcome({ lambda: 0, reward_weight: 0 })],
  ["a warm-up as long as the run", () => outcome({ warmup: 6 })],
  ["no face in any picture", () => outcome({ reward: skippedReward })],
  ["the same, with on_trouble: stop", () => outcome({ reward: skippedReward, on_trouble: "stop" })],
  ["a target that no layer has", () => outcome({ targets: "to_q, foo_bar" })],
  [
    "the same in a dry run",
    async () =>
      `refused: ${(await dryRunTraining(inputs({ targets: "to_q, foo_bar" }), fakeContext(interpreterCompute()))).issues?.map((i) => `“${i.message}”`).join("; ")}`,
  ],
  ["a rank beyond a layer's size", () => outcome({ rank: 3 })],
  ["a setting that the mode does not read", () => outcome({ mode: "sft", k: 4 })],
  ["samples are asked for, nothing is held out", () => outcome({ samples: 2, dataset: fakeDataset(3, 0) })],
  [
    "EvaluateEdits with nothing held out",
    () =>
      threw(() =>
        evaluateEdits.run(
          {
            ...{
              ...modules,
              dataset: fakeDataset(3, 0),
              detector: fakeDetector([]),
              encoder: fakeEncoder(),
              encoder_2: undefined,
              label: "after",
            },
            ...{ examples: 2, denoise_steps: 2, true_cfg_scale: 1, negative_prompt: " ", seed: 0, vision_size: 32 },
          },
          fakeContext(interpreterCompute()),
          {},
        ),
      ),
  ],
  ["a checkpoint with a flipped bit", () => damaged(flipped)],
  // How long a checkpoint is depends on how much it says of itself.
  ["a checkpoint cut short", async () => (await damaged((bytes) => bytes.slice(0, -9))).replace(/\d{3,}/g, "…")],
  ["a training continues from a LoRA of another rank than the widget's", () => outcome({ init_lora: theirs, rank: 3 })],
  [
    "a training is to continue with a LoKr",
    () =>
      outcome({
        init_lora: { ...theirs, adapters: theirs.adapters.map((x) => ({ ...x, outer: { name: "o", values: f32([1, 1], [1]) } })) },
      }),
  ],
  [
    "a LoRA of another model to start from",
    () => outcome({ init_lora: { ...theirs, adapters: theirs.adapters.map((x) => ({ ...x, target: "single.qkv" })) } }),
  ],
  ["the model carries the LoRA already", () => outcome({ init_lora: theirs, model: fakeModel().withAdapters(theirs.adapters) })],
  ["another learning rate in the same output directory", () => second({ learning_rate: 0.1 })],
  ["another rank in the same output directory", () => second({ rank: 1 })],
  ["more updates on a finished run of a constant learning rate", () => second({ steps: 4 })],
  ["more updates on a finished run of a cosine schedule", () => second({ steps: 4 }, { lr_schedule: "cosine" })],
  ["the same with fork_from", () => second({ steps: 4, fork_from: "SOURCE" }, { lr_schedule: "cosine" })],
  ["a fork of a run of another rank", () => second({ steps: 4, rank: 1, fork_from: "SOURCE" })],
  [
    "a LoRA of NaN to start from",
    () => outcome({ init_lora: { ...theirs, adapters: theirs.adapters.map((x) => ({ ...x, b: f32([3, 2], nanData(6)) })) } }),
  ],
  [
    "the VAE gives NaN for a picture",
    () => outcome({ vae: { ...fakeVae, id: "sick", encode: { ...fakeVae.encode, build: withNaN(fakeVae.encode.build) } } }),
  ],
  [
    "the VAE decodes to NaN",
    () => outcome({ vae: { ...fakeVae, id: "sick", decode: { ...fakeVae.decode, build: withNaN(fakeVae.decode.build) } } }),
  ],
  ["the text encoder gives NaN", () => outcome({ clip: { id: "sick", encode: async () => ({ embeds: f32([1, 2, 2], nanData(4)) }) } })],
  [
    "a picture of the dataset holds NaN",
    () => outcome({ dataset: examplesWith(({ target }) => ({ target: f32(target.shape, nanData(target.data.length)) })) }),
  ],
  [
    "a part of the reward is NaN, and the reward is not",
    () =>
      outcome({
        reward: {
          ...fakeReward,
          id: "sick",
          build(...args) {
            const [b] = args;
            const { reward, parts } = fakeReward.build(...args);
            return { reward, parts: { ...parts, raw: b.mul(reward, Number.NaN) } };
          },
        },
      }),
  ],
  ["an empty prompt", () => outcome({ dataset: examplesWith(() => ({ prompt: " " })) })],
  ["a picture of one pixel", () => outcome({ dataset: examplesWith(() => ({ target: f32([1, 1, 1, 3], [0, 0, 0]) })) })],
  ["no target layers", () => outcome({ targets: " , " })],
  [
    "the same in a dry run",
    async () =>
      `refused: ${(await dryRunTraining(inputs({ targets: " , " }), fakeContext(interpreterCompute()))).issues?.map((i) => `“${i.message}”`).join("; ")}`,
  ],
  ["a negative prompt without guidance", () => outcome({ negative_prompt: "blurred" })],
  ["settings of a constraint, and none is connected", () => outcome({ constraint_min: 0.5, guardrail: "projection" })],
  [
    "a preset beside typed settings",
    async () => `warns: “${ignoredSettings(inputs({ preset: "qwen-edit-r64", rank: 2, alpha: 2 })).join("; ")}”`,
  ],
  [
    "an example that is trained on and held out",
    () => outcome({ samples: 1, dataset: { ...fakeDataset(3, 1), id: "same", example: async () => fakeExample(0) } }),
  ],
  ["a checkpoint cut at every 97th byte", () => truncated(97)],
  ["config.json of the run cut short", () => damagedRecord("config.json", half)],
  ["the samples' scores cut short", () => damagedRecord("samples/scores.json", half)],
  ["metrics.jsonl cut short", () => damagedRecord("metrics.jsonl", half)],
  ["the disk is full in the middle of a checkpoint", diskFull],
  ["the clock goes backwards", clockBackwards],
  ["a fork of a finished run without more updates", () => second({ lambda: 0.5, fork_from: "SOURCE" })],
  ["a fork of a finished run on other pictures", () => second({ steps: 4, dataset: fakeDataset(4, 1), fork_from: "SOURCE" })],
  ["a fork of a run that is not there", () => second({ steps: 4, fork_from: "train-none" })],
  ["a run as it should be", () => outcome({})],
];

test("docs/training.md says what happens", async () => {
  const rows: string[] = [];
  for (const [what, happens] of CASES) rows.push(`| ${what} | ${(await happens()).replaceAll("|", "\\|").replaceAll("\n", " ")} |`);
  rows.push(
    ...[...(await datasetCases()), ...(await clipCases())].map(
      ([what, happens]) => `| ${what} | ${happens.replaceAll("|", "\\|").replaceAll("\n", " ")} |`,
    ),
  );
  const table = `${START}\n\n| case | what happens |\n|---|---|\n${rows.join("\n")}\n\n${END}`;
  const text = readFileSync(FILE, "utf8");
  const next = text.slice(0, text.indexOf(START)) + table + text.slice(text.indexOf(END) + END.length);
  if (process.env.UPDATE_DOCS) writeFileSync(FILE, next);
  else expect(text).toBe(next);
});
