// Writes adapters the way other programs read them.
import { AppError } from "../../../engine/base/errors.ts";
import { writeSafetensors } from "../../../engine/formats/safetensors.ts";
import { fromFloat32 } from "../../../engine/tensor/convert.ts";
import { f32, type Tensor, tensor } from "../../../engine/tensor/tensor.ts";
import type { Lora } from "../contracts/modules.ts";
import { notFinite } from "../finite.ts";
import type { LoraDType, LoraFormat } from "./lora-formats.ts";

/**
 * One safetensors file. kohya and comfyui carry alpha beside each layer; diffusers has the scale in B.
 * @param more metadata beside what the LoRA says of itself
 * @throws AppError LORA_EXPORT, LORA_NAN
 */
export function exportLora(lora: Lora, format: LoraFormat, dtype: LoraDType, more: Readonly<Record<string, string>> = {}): Uint8Array {
  if (lora.adapters.length === 0) throw new AppError("LORA_EXPORT", "there is no adapter to write");
  const tensors = new Map<string, Tensor>();
  const store = (name: string, t: Tensor<"float32">) => tensors.set(name, tensor(dtype, t.shape, fromFloat32(t.data, dtype)));
  for (const { target, a, b, scale } of lora.adapters) {
    const bad = notFinite(a.data) ?? notFinite(b.data) ?? notFinite([scale]);
    if (bad !== undefined) throw new AppError("LORA_NAN", `the adapter of ${target} holds ${bad}: it is not saved`);
    const rank = a.shape[0] ?? 1;
    const alpha = f32([], [scale * rank]);
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
  const peft = format === "diffusers" ? { lora_adapter_metadata: peftMetadata(lora) } : {};
  return writeSafetensors(tensors, { format: "pt", ...lora.about, ...more, ...peft });
}

/**
 * What diffusers' save_lora_weights stores. The scale is in B, so alpha equals the rank: programs that do not read this
 * (ComfyUI) take a file without alpha for a scale of 1, and so does everybody.
 */
function peftMetadata(lora: Lora): string {
  return JSON.stringify({
    "transformer.peft_type": "LORA",
    "transformer.r": lora.rank,
    "transformer.lora_alpha": lora.rank,
    "transformer.target_modules": lora.adapters.map((a) => a.target),
    "transformer.lora_dropout": 0,
    "transformer.bias": "none",
    "transformer.use_rslora": false,
    "transformer.use_dora": false,
  });
}
