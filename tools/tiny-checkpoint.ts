// node tools/tiny-checkpoint.ts MODELS_DIR [--seed 0]: random models of the real architectures in ComfyUI's folders.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { writeSafetensors } from "../engine/formats/safetensors.ts";
import { fromFloat32 } from "../engine/tensor/convert.ts";
import { type Tensor, tensor } from "../engine/tensor/tensor.ts";
import { tinyLora } from "./tiny-lora.ts";
import { TINY_TEXT_ENCODER, tinyTextEncoder } from "./tiny-text-encoder.ts";
import { tinyTokenizer } from "./tiny-tokenizer.ts";
import { tinyTransformer } from "./tiny-transformer.ts";
import { tinyVae } from "./tiny-vae.ts";

/** Every file of a tiny checkpoint by its path below the models folder. The same seed gives the same bytes. */
export function tinyCheckpoint(seed: number): ReadonlyMap<string, Uint8Array> {
  const transformer = tinyTransformer(seed);
  const encoder = tinyTextEncoder(seed + 1);
  return new Map([
    ["diffusion_models/qwen_image_edit_tiny.safetensors", writeSafetensors(halved(transformer.tensors), transformer.metadata)],
    ["text_encoders/qwen_2.5_vl_tiny.safetensors", writeSafetensors(halved(encoder.tensors), encoder.metadata)],
    ["text_encoders/tokenizer.json", new TextEncoder().encode(tinyTokenizer(TINY_TEXT_ENCODER.vocab))],
    ["loras/tiny_random_r4.safetensors", tinyLora(seed + 3)],
    ["vae/qwen_image_vae_tiny.safetensors", writeSafetensors(halved(tinyVae(seed + 2)))],
  ]);
}

/** In bfloat16, as the released files are. */
function halved(tensors: ReadonlyMap<string, Tensor<"float32">>): Map<string, Tensor> {
  return new Map([...tensors].map(([name, t]) => [name, tensor("bfloat16", t.shape, fromFloat32(t.data, "bfloat16"))]));
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { seed: { type: "string", default: "0" } } });
  const [directory] = positionals;
  const seed = Number(values.seed);
  if (!directory || !Number.isSafeInteger(seed)) {
    console.error("usage: node tools/tiny-checkpoint.ts MODELS_DIR [--seed 0]");
    process.exit(2);
  }
  for (const [path, bytes] of tinyCheckpoint(seed)) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    console.log(`${file} ${bytes.length} bytes`);
  }
}
