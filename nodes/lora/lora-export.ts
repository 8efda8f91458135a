// Writes adapters the way other programs read them.
import { AppError } from "../../engine/base/errors.ts";
import { writeSafetensors } from "../../engine/formats/safetensors.ts";
import { fromFloat32 } from "../../engine/tensor/convert.ts";
import { f32, type Tensor, tensor } from "../../engine/tensor/tensor.ts";
import type { Lora } from "../shared/contracts/modules.ts";
import type { LoraDType, LoraFormat } from "./lora-formats.ts";

/**
 * One safetensors file. Every adapter's scale must be alpha/rank: the formats have no other place for it.
 * @throws AppError LORA_EXPORT
 */
export function exportLora(lora: Lora, format: LoraFormat, dtype: LoraDType): Uint8Array {
  if (lora.adapters.length === 0) throw new AppError("LORA_EXPORT", "there is no adapter to write");
  const tensors = new Map<string, Tensor>();
  const store = (name: string, t: Tensor<"float32">) => tensors.set(name, tensor(dtype, t.shape, fromFloat32(t.data, dtype)));
  for (const { target, a, b, scale } of lora.adapters) {
    const rank = a.shape[0] ?? 1;
    const alpha = f32([], [scale * rank]);
    if (format === "kohya") {
      const name = `lora_unet_${target.replaceAll(".", "_")}`;
      store(`${name}.lora_down.weight`, a);
      store(`${name}.lora_up.weight`, b);
      tensors.set(`${name}.alpha`, alpha);
    } else {
      const name = `${format === "comfyui" ? "diffusion_model" : "transformer"}.${target}`;
      store(`${name}.lora_A.weight`, a);
      store(`${name}.lora_B.weight`, b);
      if (format === "comfyui") tensors.set(`${name}.alpha`, alpha);
    }
  }
  return writeSafetensors(tensors, format === "diffusers" ? { format: "pt", lora_adapter_metadata: peftMetadata(lora) } : { format: "pt" });
}

/** What diffusers' save_lora_weights stores: without it alpha would be lost and the scale become 1. */
function peftMetadata(lora: Lora): string {
  return JSON.stringify({
    "transformer.peft_type": "LORA",
    "transformer.r": lora.rank,
    "transformer.lora_alpha": lora.alpha,
    "transformer.target_modules": lora.adapters.map((a) => a.target),
    "transformer.lora_dropout": 0,
    "transformer.bias": "none",
    "transformer.use_rslora": false,
    "transformer.use_dora": false,
  });
}
