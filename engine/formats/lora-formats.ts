/** `comfyui`: diffusion_model.…lora_A/B + alpha. `diffusers`: transformer.…lora_A/B, the scale in B. `kohya`: lora_unet_…lora_down/up + alpha. */
export const LORA_FORMATS = ["comfyui", "diffusers", "kohya"] as const;
export type LoraFormat = (typeof LORA_FORMATS)[number];

export const LORA_DTYPES = ["float32", "bfloat16", "float16"] as const;
export type LoraDType = (typeof LORA_DTYPES)[number];
