import { AppError } from "../../engine/base/errors.ts";
import type { Models, WeightFile } from "../../engine/node/context.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { TextEncoder } from "../shared/contracts/diffusion.ts";
import type { Vae } from "../shared/contracts/modules.ts";
import declaration from "./checkpoint-loader-simple.node.ts";
import { partOfFile } from "./part-of-file.ts";
import { findTokenizer } from "./text/find-tokenizer.ts";
import { openQwenVl } from "./text/open-qwen-vl.ts";
import { textEncoder } from "./text/text-encoder.ts";
import { loadTransformer } from "./transformer/load-transformer.ts";
import { loadVae } from "./vae/load-vae.ts";
import { QWEN_STATISTICS } from "./vae/statistics.ts";

/** Where ComfyUI's checkpoints keep their parts. Not every program wrote the encoder's own name. */
const TEXT = ["text_encoders.qwen25_7b.transformer.", "text_encoders.qwen25_7b.", "text_encoders."];
const VAE = ["vae.", "first_stage_model."];
const MODEL = "model.diffusion_model.";

export default implementNode(declaration, {
  async run({ ckpt_name }, ctx) {
    const file = await ctx.models.open("checkpoints", ckpt_name);
    const { model, unused } = await loadTransformer(partOfFile(file, MODEL) ?? file);
    const strangers = [...file.tensors.keys()].filter((name) => ![MODEL, ...TEXT, ...VAE].some((p) => name.startsWith(p)));
    const left = [...unused, ...(partOfFile(file, MODEL) ? strangers : [])];
    if (left.length) ctx.log("warn", `${ckpt_name}: ${left.length} tensors have no place in it: ${left.slice(0, 5).join(", ")}`);
    return { MODEL: model, CLIP: await textOf(ctx.models, file), VAE: await vaeOf(file) };
  },
});

function partUnder(file: WeightFile, prefixes: readonly string[]): WeightFile | undefined {
  for (const prefix of prefixes) {
    const part = partOfFile(file, prefix);
    if (part) return part;
  }
  return undefined;
}

async function textOf(models: Models, file: WeightFile): Promise<TextEncoder> {
  const part = partUnder(file, TEXT);
  if (!part) {
    const refuse = missing(file, "text encoder", "CLIPLoader");
    return { id: `text:none:${file.fingerprint}`, encode: refuse };
  }
  const { tokenizer, fingerprint } = await findTokenizer(models, part, file.name);
  return textEncoder(`text:${part.fingerprint}:${fingerprint}`, await openQwenVl(part), tokenizer);
}

async function vaeOf(file: WeightFile): Promise<Vae> {
  const part = partUnder(file, VAE);
  if (part) return loadVae(part);
  const id = `vae:none:${file.fingerprint}`;
  const refuse = missing(file, "VAE", "VAELoader");
  const module = { id, build: refuse };
  return { id, encode: module, decode: module, channels: QWEN_STATISTICS.mean.length, cell: 8, statistics: QWEN_STATISTICS };
}

function missing(file: WeightFile, part: string, loader: string): () => never {
  return () => {
    throw new AppError("CHECKPOINT_PART", `the checkpoint ${file.name} holds no ${part}`, { hint: `connect one from ${loader}` });
  };
}
