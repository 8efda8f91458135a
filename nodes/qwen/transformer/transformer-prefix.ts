// Tells a Qwen-Image transformer from every other checkpoint a user may pick, by the names of its tensors.
import { AppError } from "../../../engine/base/errors.ts";
import type { WeightFile } from "../../../engine/node/context.ts";

/** Written by ComfyUI into 2511 files: reference tokens are modulated at t = 0. */
export const ZERO_COND_MARKER = "__index_timestep_zero__";

const PREFIXES = ["", "model.diffusion_model.", "diffusion_model.", "transformer."];

/** Kinds of file, each by a tensor only it has. The first hit wins, so variants come before their family. */
const OTHERS: readonly (readonly [key: RegExp, what: string, remedy?: string])[] = [
  [/\.(lora_(A|B|down|up)\b|lokr_w|hada_w)/, "a LoRA, not a whole model", "load it with LoraLoaderModelOnly"],
  [/\.qweight$/, "a Nunchaku (SVDQuant) 4-bit model", "use the bf16 or fp8 file"],
  [/^time_text_embed\.addition_t_embedding\./, "Qwen-Image-Layered"],
  [/^controlnet_blocks\./, "a Qwen-Image ControlNet"],
  [/^distilled_guidance_layer\./, "Chroma"],
  [/^double_stream_modulation_(img|txt)\./, "FLUX.2"],
  [/^txt_in\.individual_token_refiner\./, "HunyuanVideo"],
  [/^context_embedder\.token_refiner\./, "HunyuanVideo (diffusers)"],
  [/^double_blocks\.\d+\.img_attn\./, "FLUX"],
  [/^double_layers\.|^joint_transformer_blocks\./, "AuraFlow"],
  [/^single_transformer_blocks\./, "FLUX (diffusers)"],
  [/^joint_blocks\.\d+\.x_block\./, "Stable Diffusion 3"],
  [/^pos_embed\.proj\./, "Stable Diffusion 3 (diffusers)"],
  [/^(label_emb|add_embedding)\./, "Stable Diffusion XL"],
  [/^(input_blocks|down_blocks)\.\d+\.(0\.|resnets|1\.transformer|attentions)/, "Stable Diffusion 1/2 (a U-Net)"],
  [/^blocks\.\d+\.(self_attn|attn1)\b/, "Wan"],
  [/^(cap_embedder|noise_refiner|context_refiner)\./, "Lumina or Z-Image"],
  [/^caption_projection\.|^adaln_single\./, "LTX-Video or PixArt"],
  [/^(model\.|model\.language_model\.)?layers\.\d+\.self_attn\./, "a text encoder", "load it with CLIPLoader"],
  [/^(encoder|decoder)\.(conv_in|conv1|mid|middle)/, "a VAE", "load it with VAELoader"],
];

/** What only this model has together. More than one tensor has each of these, so that an incomplete file is still recognised. */
const OWN = [/^(txt_norm\.|txt_in\.|img_in\.)/, /^transformer_blocks\.\d+\.attn\.add_q_proj\./, /^transformer_blocks\.\d+\.img_mod\.1\./];

/**
 * The prefix all transformer tensors carry in this file.
 * @throws AppError MODEL_FAMILY naming what the file is instead
 */
export function transformerPrefix(file: WeightFile): string {
  const names = [...file.tensors.keys()];
  const under = (prefix: string) => names.filter((n) => n.startsWith(prefix)).map((n) => n.slice(prefix.length));
  const refuseOthers = (inside: readonly string[]) => {
    for (const [key, what, remedy] of OTHERS) if (inside.some((n) => key.test(n))) throw refusal(file, what, remedy);
  };
  for (const prefix of PREFIXES) {
    const inside = under(prefix);
    if (!OWN.every((own) => inside.some((name) => own.test(name)))) continue;
    refuseOthers(inside);
    return prefix;
  }
  // Prefixed names come first: a checkpoint that holds everything is named by its diffusion model, not by its VAE.
  for (const prefix of [...PREFIXES].reverse()) refuseOthers(under(prefix));
  const seen = names.slice(0, 3).join(", ") || "no tensor at all";
  throw new AppError("MODEL_FAMILY", `${file.name} is no Qwen-Image transformer: its tensors have other names (found ${seen}, …)`, {
    hint: "pick a file of Qwen-Image, Qwen-Image-Edit, -2509 or -2511",
  });
}

/** The error for another model. */
export function refusal(file: WeightFile, what: string, remedy?: string): AppError {
  return new AppError("MODEL_FAMILY", `${file.name} is ${what}, which this loader does not take`, {
    hint: remedy ?? "pick a file of Qwen-Image, Qwen-Image-Edit, -2509 or -2511",
  });
}
