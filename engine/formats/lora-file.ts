// Writes low-rank adapters the way other programs read them.
import { AppError } from "../base/errors.ts";
import { fromFloat32 } from "../tensor/convert.ts";
import { f32, type Tensor, tensor } from "../tensor/tensor.ts";
import type { LoraDType, LoraFormat } from "./lora-formats.ts";
import { writeSafetensors } from "./safetensors.ts";

/** The change of one Linear: scale·b·a, with a [rank, in] and b [out, rank]. */
export interface LoraLayer {
  /** Module path without `.weight`: `transformer_blocks.0.attn.to_q`. */
  readonly target: string;
  readonly a: Tensor<"float32">;
  readonly b: Tensor<"float32">;
  /** alpha / rank. */
  readonly scale: number;
}

/** What a LoRA file is written from. */
export interface LoraContent {
  readonly adapters: readonly LoraLayer[];
  /** How it was made, for the file's metadata. */
  readonly about?: Readonly<Record<string, string>>;
}

/**
 * One safetensors file. kohya and comfyui carry alpha beside each layer; diffusers has the scale in B.
 * @param more metadata beside what the LoRA says of itself
 * @throws AppError LORA_EXPORT, LORA_NAN
 */
export function writeLora(
  lora: LoraContent,
  format: LoraFormat,
  dtype: LoraDType,
  more: Readonly<Record<string, string>> = {},
): Uint8Array {
  if (lora.adapters.length === 0) throw new AppError("LORA_EXPORT", "there is no adapter to write");
  const tensors = new Map<string, Tensor>();
  const store = (name: string, t: Tensor<"float32">) => tensors.set(name, tensor(dtype, t.shape, fromFloat32(t.data, dtype)));
  for (const { target, a, b, scale } of lora.adapters) {
    for (const numbers of [a.data, b.data, [scale]]) {
      const at = numbers.findIndex((x) => !Number.isFinite(x));
      if (at >= 0) throw new AppError("LORA_NAN", `the adapter of ${target} holds ${numbers[at]} at ${at}: it is not saved`);
    }
    const alpha = f32([], [scale * rankOf({ a })]);
    if (format === "kohya") {
      const name = `lora_unet_${target.replaceAll(".", "_")}`;
      store(`${name}.lora_down.weight`, a);
      store(`${name}.lora_up.weight`, b);
      tensors.set(`${name}.alpha`, alpha);
    } else if (format === "comfyui") {
      store(`diffusion_model.${target}.lora_A.weight`, a);
      store(`diffusion_model.${target}.lora_B.weight`, b);
      tensors.set(`diffusion_model.${target}.alpha`, alpha);
    } else {
      store(`transformer.${target}.lora_A.weight`, a);
      store(
        `transformer.${target}.lora_B.weight`,
        f32(
          b.shape,
          b.data.map((x) => x * scale),
        ),
      );
    }
  }
  const peft = format === "diffusers" ? { lora_adapter_metadata: peftMetadata(lora.adapters) } : {};
  return writeSafetensors(tensors, { format: "pt", ...lora.about, ...more, ...peft });
}

function rankOf({ a }: Pick<LoraLayer, "a">): number {
  return a.shape[0] ?? 1;
}

/**
 * What diffusers' save_lora_weights stores. The scale is in B, so alpha equals the rank: programs that do not read this
 * (ComfyUI) take a file without alpha for a scale of 1, and so does everybody. Layers of another rank than the first stand in peft's patterns.
 */
function peftMetadata(layers: readonly LoraLayer[]): string {
  const rank = layers[0]?.a.shape[0] ?? 1;
  const others = Object.fromEntries(layers.filter((layer) => rankOf(layer) !== rank).map((layer) => [layer.target, rankOf(layer)]));
  return JSON.stringify({
    "transformer.peft_type": "LORA",
    "transformer.r": rank,
    "transformer.lora_alpha": rank,
    "transformer.rank_pattern": others,
    "transformer.alpha_pattern": others,
    "transformer.target_modules": layers.map((layer) => layer.target),
    "transformer.lora_dropout": 0,
    "transformer.bias": "none",
    "transformer.use_rslora": false,
    "transformer.use_dora": false,
  });
}
