// What happens in the cases that go wrong without a word in other trainers: each is run, and the answers are docs/training.md.
// UPDATE_DOCS=1 npx vitest run test/training-table.test.ts writes the table.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toAppError } from "../engine/base/errors.ts";
import { writeLora } from "../engine/formats/lora-file.ts";
import { f32 } from "../engine/tensor/tensor.ts";
import type { DiffusionModel } from "../nodes/shared/contracts/modules.ts";
import { dryRunTraining } from "../nodes/train/cost/dry-run-training.ts";
import evaluateEdits from "../nodes/train/evaluate-edits.ts";
import type { TrainInputs } from "../nodes/train/train-options.ts";
import trainNode from "../nodes/train/train-rerefl.ts";
import { datasetCases } from "./dataset-cases.ts";
import { fakeContext } from "./fake-context.ts";
import { fakeClip, fakeDataset, fakeModel, fakeReward, fakeVae, skippedReward } from "./fake-diffusion.ts";
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
  ["a run as it should be", () => outcome({})],
];

test("docs/training.md says what happens", async () => {
  const rows: string[] = [];
  for (const [what, happens] of CASES) rows.push(`| ${what} | ${(await happens()).replaceAll("|", "\\|").replaceAll("\n", " ")} |`);
  rows.push(...(await datasetCases()).map(([what, happens]) => `| ${what} | ${happens.replaceAll("|", "\\|").replaceAll("\n", " ")} |`));
  const table = `${START}\n\n| case | what happens |\n|---|---|\n${rows.join("\n")}\n\n${END}`;
  const text = readFileSync(FILE, "utf8");
  const next = text.slice(0, text.indexOf(START)) + table + text.slice(text.indexOf(END) + END.length);
  if (process.env.UPDATE_DOCS) writeFileSync(FILE, next);
  else expect(text).toBe(next);
});
