// The checkpoints in models/: a small Qwen-Image-Edit in the released files' layout.
//   node tools/small-checkpoint.ts untrained MODELS_DIR [--vae FILE] [--transformer FILE]   float32 to pretrain: random, or FILE's
//   node tools/small-checkpoint.ts trained MODELS_DIR --vae FILE [--transformer FILE]   what the pretrain nodes wrote, in bfloat16
// With --scenes: the larger one, for RenderedScenesDataset, whose text encoder is trained too (--text-encoder FILE).
// A FILE may also be the checkpoint.safetensors of a run that was stopped early.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { randomSource } from "../engine/base/random.ts";
import { readSafetensors, writeSafetensors } from "../engine/formats/safetensors.ts";
import { fromFloat32, toFloat32 } from "../engine/tensor/convert.ts";
import { f32, type Tensor, tensor } from "../engine/tensor/tensor.ts";
import { scenePrompt as peoplePrompt } from "../nodes/data/rendered-people-dataset.ts";
import { backdropOf } from "../nodes/data/scenes/backdrop.ts";
import { COLOUR_NAMES, pick } from "../nodes/data/scenes/colours.ts";
import { scenePrompt } from "../nodes/data/scenes/scene-prompt.ts";
import { vaeNames } from "../nodes/qwen/vae/vae-names.ts";
import { memoryWeights } from "../test/memory-weights.ts";
import { tinyLora } from "./tiny-lora.ts";
import { TINY_TEXT_ENCODER, type TinyTextEncoderSizes, tinyTextEncoder } from "./tiny-text-encoder.ts";
import { tinyTokenizer } from "./tiny-tokenizer.ts";
import { type TinyTransformerSizes, tinyTransformer } from "./tiny-transformer.ts";
import { type TinyVaeSizes, tinyVae } from "./tiny-vae.ts";
import { withTrained } from "./with-trained.ts";

export const SMALL_VAE: TinyVaeSizes = { baseDim: 16, zDim: 16, dimMult: [1, 2, 4, 4], resBlocks: 2 };
export const SMALL_TRANSFORMER: TinyTransformerSizes = {
  layers: 6,
  heads: 4,
  headDim: 32,
  jointAttentionDim: TINY_TEXT_ENCODER.hidden,
  axes: [8, 12, 12],
  zeroCond: true,
};

/** The larger one: 11 M parameters. */
export const SCENES_TRANSFORMER: TinyTransformerSizes = { ...SMALL_TRANSFORMER, heads: 7, jointAttentionDim: 128 };

export const SCENES_TEXT_ENCODER: TinyTextEncoderSizes = {
  ...TINY_TEXT_ENCODER,
  hidden: 128,
  intermediate: 320,
  layers: 3,
  headDim: 32,
};

type Weights = Map<string, Tensor<"float32">>;

/** Residual branches start small: the deep stack is near the identity, and learns from the first update. */
export function untrainedVae(): Weights {
  const tensors = tinyVae(0, SMALL_VAE);
  for (const [name, { data }] of tensors)
    if (/\.(residual\.6|middle\.1\.proj)\.weight$/.test(name)) for (let i = 0; i < data.length; i++) data[i] = 0.1 * (data[i] ?? 0);
  return tensors;
}

/** The first velocity is zero. */
export function untrainedTransformer(sizes: TinyTransformerSizes = SMALL_TRANSFORMER): {
  readonly tensors: Weights;
  readonly metadata: Readonly<Record<string, string>>;
} {
  const made = tinyTransformer(0, sizes);
  made.tensors.get("proj_out.weight")?.data.fill(0);
  return made;
}

/**
 * The weights a pretrain node wrote, or those it would have written now: the average when there is one. In float32.
 * @param bytes weights or checkpoint @param part the text encoder's, or the others of a checkpoint that holds both
 */
export function trainedWeights(bytes: Uint8Array, part: "text" | "other" = "other"): ReadonlyMap<string, Tensor> {
  const tensors = new Map([...readSafetensors(bytes).tensors].map(([name, t]) => [name, f32(t.shape, toFloat32(t))]));
  const kept = ["ema.", "param."].find((prefix) => [...tensors.keys()].some((name) => name.startsWith(prefix)));
  if (kept === undefined) return tensors;
  // `ema.vae.encoder…`: the graph's own prefix follows. A checkpoint may hold the text encoder's weights beside the transformer's.
  const plain = (name: string) => name.slice(name.indexOf(".", kept.length) + 1);
  const belongs = (name: string) => name.startsWith(kept) && name.startsWith(`${kept}text.`) === (part === "text");
  return new Map([...tensors].filter(([name]) => belongs(name)).map(([name, t]) => [plain(name), t]));
}

/** Trained weights under the names and in the shapes of ComfyUI's file. @param bytes what PretrainVAE wrote */
export function trainedVae(bytes: Uint8Array): Weights {
  const untrained = untrainedVae();
  const plain = new Map([...vaeNames(memoryWeights(untrained)).names].map(([name, stored]) => [stored, name]));
  return withTrained(untrained, trainedWeights(bytes), (stored) => plain.get(stored) ?? stored);
}

/** In bfloat16, as the released files are. */
function halved(tensors: Weights): Map<string, Tensor> {
  return new Map([...tensors].map(([name, t]) => [name, tensor("bfloat16", t.shape, fromFloat32(t.data, "bfloat16"))]));
}

interface TextFiles {
  readonly tensors: Weights;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tokenizer: string;
}

/** Random and never trained: its states tell prompts and pictures apart, and the transformer learns them. */
function smallText(): TextFiles {
  const prompts = [1, 2, 3].map(peoplePrompt);
  return { ...tinyTextEncoder(1), tokenizer: tinyTokenizer(TINY_TEXT_ENCODER.vocab, [...prompts, ...prompts]) };
}

/** A tokenizer of many phrasings, and an encoder to be trained with the transformer. */
function scenesText(): TextFiles {
  const rng = randomSource(11);
  const prompts = Array.from({ length: 2000 }, (_, k) => {
    const people = 1 + (k % 5);
    const clothes = Array.from({ length: people }, () => pick(rng, COLOUR_NAMES));
    return scenePrompt({ order: [...clothes.keys()], clothes, backdrop: backdropOf(rng) }, rng);
  });
  return { ...tinyTextEncoder(1, SCENES_TEXT_ENCODER), tokenizer: tinyTokenizer(SCENES_TEXT_ENCODER.vocab, prompts) };
}

/** @throws RangeError when `file` holds no such weights */
function filled(random: Weights, file: string | undefined, part: "text" | "other"): Weights {
  return file === undefined ? random : withTrained(random, trainedWeights(readFileSync(file), part));
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      vae: { type: "string" },
      transformer: { type: "string" },
      "text-encoder": { type: "string" },
      scenes: { type: "boolean", default: false },
    },
  });
  const [what, directory] = positionals;
  if (!directory || (what !== "untrained" && !(what === "trained" && values.vae))) {
    console.error(
      "usage: node tools/small-checkpoint.ts untrained|trained MODELS_DIR [--scenes] [--vae FILE] [--transformer FILE] [--text-encoder FILE]",
    );
    process.exit(2);
  }
  const sizes = values.scenes ? SCENES_TRANSFORMER : SMALL_TRANSFORMER;
  const vae = values.vae === undefined ? untrainedVae() : trainedVae(readFileSync(values.vae));
  const { tensors: random, metadata } = untrainedTransformer(sizes);
  const transformer = filled(random, values.transformer, "other");
  const text = values.scenes ? scenesText() : smallText();
  const encoder = filled(text.tensors, values["text-encoder"], "text");
  // An encoder that is to be trained stays in float32.
  const stored = values.scenes && what === "untrained" ? encoder : halved(encoder);
  const files: [string, Uint8Array][] = [
    ["text_encoders/qwen_2.5_vl_small.safetensors", writeSafetensors(stored, text.metadata)],
    ["text_encoders/tokenizer.json", new TextEncoder().encode(text.tokenizer)],
  ];
  if (what === "untrained") {
    files.push(["vae/untrained.safetensors", writeSafetensors(vae)]);
    files.push(["diffusion_models/untrained.safetensors", writeSafetensors(transformer, metadata)]);
  } else {
    files.push(["vae/qwen_image_vae_small.safetensors", writeSafetensors(halved(vae))]);
    if (values.transformer !== undefined) {
      files.push(["diffusion_models/qwen_image_edit_small.safetensors", writeSafetensors(halved(transformer), metadata)]);
      files.push(["loras/small_random_r4.safetensors", tinyLora(3, sizes)]);
    }
  }
  for (const [path, bytes] of files) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    console.log(`${file} ${bytes.length} bytes`);
  }
}
