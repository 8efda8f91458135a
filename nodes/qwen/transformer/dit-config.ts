import { z } from "zod";
import { AppError } from "../../../engine/base/errors.ts";
import type { WeightFile } from "../../../engine/node/context.ts";
import type { Shape } from "../../../engine/tensor/shape.ts";
import { depthOf } from "../depth-of.ts";
import { refusal, ZERO_COND_MARKER } from "./transformer-prefix.ts";

/** Architecture of one checkpoint, in diffusers' parameter names. */
export interface DitConfig {
  readonly num_layers: number;
  readonly num_attention_heads: number;
  readonly attention_head_dim: number;
  readonly joint_attention_dim: number;
  /** Width of a packed token: 4 · latent channels. */
  readonly in_channels: number;
  /** Rotary channels per axis (frame, height, width); sums to the head dimension. */
  readonly axes_dims_rope: readonly [number, number, number];
  /** 2511: reference tokens are modulated at t = 0. */
  readonly zero_cond_t: boolean;
}

/** What a `config.json`, or the `config` entry of a file's own metadata, may say. Tensor shapes take precedence over it. */
const Config = z.looseObject({
  axes_dims_rope: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]).optional(),
  zero_cond_t: z.boolean().optional(),
  patch_size: z.literal(2).optional(),
  guidance_embeds: z.literal(false).optional(),
  use_additional_t_cond: z.literal(false).optional(),
  use_layer3d_rope: z.literal(false).optional(),
});

/** Rotary axes of every released checkpoint. */
const AXES_128 = [16, 56, 56] as const;
/** No released model is narrower than this: tests and examples may combine widths as they like. */
const RELEASED_WIDTH = 2048;
/** Text widths of the Qwen3-VL encoders, which Qwen-Image 2.x uses. */
const QWEN3_VL = [2048, 2560, 4096, 5120];

/**
 * Reads the architecture off the tensor shapes. Only the rotary axes and zero_cond_t cannot be read off.
 * @param names stripped of their prefix
 * @throws AppError MODEL_FAMILY, MODEL_CONFIG, MODEL_TENSOR_MISSING
 */
export async function inferConfig(file: WeightFile, names: ReadonlySet<string>, shapeOf: (name: string) => Shape): Promise<DitConfig> {
  const said = await statedConfig(file);
  const need = (name: string): Shape => {
    if (!names.has(name))
      throw new AppError("MODEL_TENSOR_MISSING", `${file.name}: the transformer has no ${name}`, {
        hint: "the file is incomplete: download it again",
      });
    return shapeOf(name);
  };
  const [inner = 0, in_channels = 0] = need("img_in.weight");
  const [joint_attention_dim = 0] = need("txt_norm.weight");
  const [attention_head_dim = 0] = need("transformer_blocks.0.attn.norm_q.weight");
  if (inner >= RELEASED_WIDTH && in_channels !== 64)
    throw refusal(file, `a model of ${in_channels}-channel tokens (Qwen-Image-Edit has 64; Qwen-Image 2.x has another VAE)`);
  if (inner >= RELEASED_WIDTH && QWEN3_VL.includes(joint_attention_dim))
    throw refusal(file, `Qwen-Image 2.x: it reads ${joint_attention_dim}-wide text states of Qwen3-VL, not Qwen2.5-VL's 3584`);
  if (in_channels % 4 !== 0 || in_channels === 0)
    throw new AppError("MODEL_CONFIG", `${file.name}: img_in.weight takes ${in_channels} numbers, and a token is 2 × 2 latent pixels`, {
      hint: "the file is damaged or not this model: download it again",
    });
  if (!attention_head_dim || inner % attention_head_dim)
    throw new AppError("MODEL_CONFIG", `${file.name}: heads of ${attention_head_dim} do not divide the width ${inner}`);
  const axes = said.axes_dims_rope ?? (attention_head_dim === 128 ? AXES_128 : undefined);
  if (!axes || axes[0] + axes[1] + axes[2] !== attention_head_dim || axes.some((d) => d % 2))
    throw new AppError(
      "MODEL_CONFIG",
      `${file.name}: axes_dims_rope ${axes ? `[${axes}] does not fit` : "is not given, and the released one does not fit"} heads of ${attention_head_dim}`,
      {
        hint: "put axes_dims_rope into config.json beside the weights, or into the file's metadata entry `config`",
      },
    );
  return {
    num_layers: depthOf(names, "transformer_blocks"),
    num_attention_heads: inner / attention_head_dim,
    attention_head_dim,
    joint_attention_dim,
    in_channels,
    axes_dims_rope: axes,
    zero_cond_t: names.has(ZERO_COND_MARKER) || (said.zero_cond_t ?? false),
  };
}

async function statedConfig(file: WeightFile): Promise<z.infer<typeof Config>> {
  const text = file.metadata.config ?? (await file.text("config.json"));
  if (text === undefined) return {};
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AppError("MODEL_CONFIG", `the configuration of ${file.name} is not JSON`, { cause });
  }
  const parsed = Config.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue?.path.join(".") ?? "";
  if (key === "use_additional_t_cond" || key === "use_layer3d_rope") throw refusal(file, "Qwen-Image-Layered");
  throw new AppError("MODEL_CONFIG", `the configuration of ${file.name}: ${key}: ${issue?.message ?? "not valid"}`);
}
