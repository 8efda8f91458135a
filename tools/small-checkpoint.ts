// The checkpoint in models/: a small Qwen-Image-Edit in the released files' layout.
//   node tools/small-checkpoint.ts untrained MODELS_DIR [--vae FILE] [--transformer FILE]   float32 to pretrain: random, or FILE's
//   node tools/small-checkpoint.ts trained MODELS_DIR --vae FILE [--transformer FILE]   what the pretrain nodes wrote, in bfloat16
// A FILE may also be the checkpoint.safetensors of a run that was stopped early.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { readSafetensors, writeSafetensors } from "../engine/formats/safetensors.ts";
import { fromFloat32, toFloat32 } from "../engine/tensor/convert.ts";
import { f32, type Tensor, tensor } from "../engine/tensor/tensor.ts";
import { scenePrompt } from "../nodes/data/rendered-people-dataset.ts";
import { vaeNames } from "../nodes/qwen/vae/vae-names.ts";
import { memoryWeights } from "../test/memory-weights.ts";
import { tinyLora } from "./tiny-lora.ts";
import { TINY_TEXT_ENCODER, tinyTextEncoder } from "./tiny-text-encoder.ts";
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

type Weights = Map<string, Tensor<"float32">>;

/** Residual branches start small: the deep stack is near the identity, and learns from the first update. */
export function untrainedVae(): Weights {
  const tensors = tinyVae(0, SMALL_VAE);
  for (const [name, { data }] of tensors)
    if (/\.(residual\.6|middle\.1\.proj)\.weight$/.test(name)) for (let i = 0; i < data.length; i++) data[i] = 0.1 * (data[i] ?? 0);
  return tensors;
}

/** The first velocity is zero. */
export function untrainedTransformer(): { readonly tensors: Weights; readonly metadata: Readonly<Record<string, string>> } {
  const made = tinyTransformer(0, SMALL_TRANSFORMER);
  made.tensors.get("proj_out.weight")?.data.fill(0);
  return made;
}

/**
 * The weights a pretrain node wrote, or those it would have written now: the average when there is one. In float32.
 * @param bytes weights or checkpoint
 */
export function trainedWeights(bytes: Uint8Array): ReadonlyMap<string, Tensor> {
  const tensors = new Map([...readSafetensors(bytes).tensors].map(([name, t]) => [name, f32(t.shape, toFloat32(t))]));
  const kept = ["ema.", "param."].find((prefix) => [...tensors.keys()].some((name) => name.startsWith(prefix)));
  if (kept === undefined) return tensors;
  // `ema.vae.encoder…`: the graph's own prefix follows.
  const plain = (name: string) => name.slice(name.indexOf(".", kept.length) + 1);
  return new Map([...tensors].filter(([name]) => name.startsWith(kept)).map(([name, t]) => [plain(name), t]));
}

/** Trained weights under the names and in the shapes of ComfyUI's file. @param bytes what PretrainVAE wrote */
export function trainedVae(bytes: Uint8Array): Weights {
  const untrained = untrainedVae();
  const plain = new Map([...vaeNames(memoryWeights(untrained))].map(([name, stored]) => [stored, name]));
  return withTrained(untrained, trainedWeights(bytes), (stored) => plain.get(stored) ?? stored);
}

/** In bfloat16, as the released files are. */
function halved(tensors: Weights): Map<string, Tensor> {
  return new Map([...tensors].map(([name, t]) => [name, tensor("bfloat16", t.shape, fromFloat32(t.data, "bfloat16"))]));
}

/** The text encoder is never trained: its random states tell prompts and pictures apart, and the transformer learns them. */
function textFiles(): [string, Uint8Array][] {
  const encoder = tinyTextEncoder(1);
  const prompts = [1, 2, 3].map(scenePrompt);
  return [
    ["text_encoders/qwen_2.5_vl_small.safetensors", writeSafetensors(halved(encoder.tensors), encoder.metadata)],
    ["text_encoders/tokenizer.json", new TextEncoder().encode(tinyTokenizer(TINY_TEXT_ENCODER.vocab, [...prompts, ...prompts]))],
  ];
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { vae: { type: "string" }, transformer: { type: "string" } },
  });
  const [what, directory] = positionals;
  if (!directory || (what !== "untrained" && !(what === "trained" && values.vae))) {
    console.error("usage: node tools/small-checkpoint.ts untrained|trained MODELS_DIR [--vae FILE] [--transformer FILE]");
    process.exit(2);
  }
  const files = textFiles();
  const vae = values.vae === undefined ? untrainedVae() : trainedVae(readFileSync(values.vae));
  const { tensors: random, metadata } = untrainedTransformer();
  const transformer = values.transformer === undefined ? random : withTrained(random, trainedWeights(readFileSync(values.transformer)));
  if (what === "untrained") {
    files.push(["vae/untrained.safetensors", writeSafetensors(vae)]);
    files.push(["diffusion_models/untrained.safetensors", writeSafetensors(transformer, metadata)]);
  } else {
    files.push(["vae/qwen_image_vae_small.safetensors", writeSafetensors(halved(vae))]);
    if (values.transformer !== undefined) {
      files.push(["diffusion_models/qwen_image_edit_small.safetensors", writeSafetensors(halved(transformer), metadata)]);
      files.push(["loras/small_random_r4.safetensors", tinyLora(3, SMALL_TRANSFORMER)]);
    }
  }
  for (const [path, bytes] of files) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    console.log(`${file} ${bytes.length} bytes`);
  }
}
