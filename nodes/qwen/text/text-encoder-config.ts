// Sizes of a Qwen2.5-VL: read off the tensors, except what no tensor shows.
import { z } from "zod";
import { AppError } from "../../../engine/base/errors.ts";
import type { WeightFile } from "../../../engine/node/context.ts";
import { depthOf } from "../depth-of.ts";

const Count = z.number().int().positive();
const Rope = z.object({ mrope_section: z.array(Count).length(3).optional(), rope_theta: z.number().positive().optional() });
const Language = z.object({
  num_attention_heads: Count.optional(),
  rms_norm_eps: z.number().positive().optional(),
  rope_theta: z.number().positive().optional(),
  rope_scaling: Rope.nullish(),
  rope_parameters: Rope.nullish(),
});
const Vision = z.object({
  num_heads: Count.optional(),
  fullatt_block_indexes: z.array(z.number().int().nonnegative()).optional(),
  window_size: Count.optional(),
});
const HfConfig = Language.extend({ model_type: z.string().optional(), text_config: Language.optional(), vision_config: Vision.optional() });

/** What a `config.json` of transformers says; every key is optional. */
export type HfConfig = z.input<typeof HfConfig>;

export interface TextEncoderConfig {
  readonly language: {
    readonly layers: number;
    readonly hidden: number;
    readonly vocab: number;
    readonly heads: number;
    readonly kvHeads: number;
    readonly headDim: number;
    readonly mropeSection: readonly number[];
    readonly theta: number;
    readonly eps: number;
  };
  readonly vision: {
    readonly depth: number;
    readonly hidden: number;
    readonly heads: number;
    readonly fullAttention: readonly number[];
    readonly patch: number;
    readonly merge: number;
    readonly window: number;
    readonly eps: number;
  };
}

/** Head widths of the 7B: a file without a config has them. */
const HEAD = { language: 128, vision: 80 };

/**
 * Widths and depths come from the shapes; head counts, rotary sections and windows from `config.json` beside the file or from the
 * `config` entry of its metadata, else they are those of the 7B.
 * @param names single-file name → name in the file
 * @throws AppError TEXT_CONFIG when head counts do not divide the widths
 */
export async function textEncoderConfig(
  file: WeightFile,
  names: ReadonlyMap<string, string>,
  override?: HfConfig,
): Promise<TextEncoderConfig> {
  const hf = override ?? (await readConfig(file));
  const shapeOf = (name: string): readonly number[] | undefined => file.tensors.get(names.get(name) ?? "")?.shape;
  const text = { ...hf, ...hf.text_config };
  const dim = (name: string, axis: number): number => {
    const size = shapeOf(name)?.[axis];
    if (!size)
      throw new AppError("TEXT_TENSOR_MISSING", `${file.name} has no ${name}`, { hint: "the file is incomplete: download it again" });
    return size;
  };
  const q = dim("model.layers.0.self_attn.q_proj.weight", 0);
  const kv = dim("model.layers.0.self_attn.k_proj.weight", 0);
  const heads = text.num_attention_heads ?? q / HEAD.language;
  const headDim = q / heads;
  const rope = { ...text.rope_scaling, ...text.rope_parameters };
  const mropeSection = rope.mrope_section ?? [16, 24, 24];
  const hidden = dim("visual.patch_embed.proj.weight", 0);
  const visionHeads = hf.vision_config?.num_heads ?? hidden / HEAD.vision;
  const patch = dim("visual.patch_embed.proj.weight", 3);
  const merge = Math.sqrt(dim("visual.merger.mlp.0.weight", 1) / hidden);
  const window = hf.vision_config?.window_size ?? 112;
  const whole = [headDim, heads, kv / headDim, heads / (kv / headDim), visionHeads, hidden / visionHeads / 4, merge].every(
    Number.isInteger,
  );
  if (!whole || 2 * mropeSection.reduce((a, n) => a + n, 0) !== headDim || window < patch * merge)
    throw new AppError(
      "TEXT_CONFIG",
      `${file.name}: ${heads} heads of width ${headDim} (language) and ${visionHeads} (vision) do not fit its tensors`,
      {
        hint: "an encoder other than the 7B needs its config.json (num_attention_heads, mrope_section, vision_config.num_heads) beside it",
      },
    );
  return {
    language: {
      layers: depthOf(names.keys(), "model.layers"),
      hidden: dim("model.embed_tokens.weight", 1),
      vocab: dim("model.embed_tokens.weight", 0),
      heads,
      kvHeads: kv / headDim,
      headDim,
      mropeSection,
      theta: rope.rope_theta ?? text.rope_theta ?? 1e6,
      eps: text.rms_norm_eps ?? 1e-6,
    },
    vision: {
      depth: depthOf(names.keys(), "visual.blocks"),
      hidden,
      heads: visionHeads,
      fullAttention: hf.vision_config?.fullatt_block_indexes ?? [7, 15, 23, 31],
      patch,
      merge,
      window,
      eps: 1e-6,
    },
  };
}

async function readConfig(file: WeightFile): Promise<HfConfig> {
  for (const text of [file.metadata.config, await file.text("config.json")]) {
    if (text === undefined) continue;
    try {
      const config = HfConfig.parse(JSON.parse(text));
      // In a folder of many models, the config may belong to another one.
      if (config.model_type === undefined || config.model_type.startsWith("qwen2_5_vl")) return config;
    } catch (cause) {
      throw new AppError("TEXT_CONFIG", `the configuration of ${file.name} cannot be read`, { cause, hint: "restore its config.json" });
    }
  }
  return {};
}
