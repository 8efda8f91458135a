// Which of the two editing pipelines a model belongs to: nothing in its tensors says so, but prompts differ.

import { z } from "zod";
import { jsonOf } from "../../../engine/base/json.ts";
import type { WeightFile } from "../../../engine/node/context.ts";

/**
 * diffusers' names, as TextEncodeQwenImageEditDiffusers has them. `edit`: the original Qwen-Image-Edit, one picture before the prompt, seen by the text encoder
 * as large as by the VAE. `edit_plus`: 2509 and 2511, pictures by number, seen small.
 */
export const EDIT_PIPELINES = ["edit", "edit_plus"] as const;
export type EditPipeline = (typeof EDIT_PIPELINES)[number];

/** Released names of the original: what follows may only tell how the weights are stored. */
const ORIGINAL = /qwen[-_. ]?image[-_. ]?edit(?=$|[-_./](bf16|fp16|fp32|fp8|int8|int4|nf4|q[2-8]|e4m3|e5m2|transformer|diffusion))/i;

const modelIndex = z.looseObject({ _class_name: z.string() });

/**
 * @param index text of the diffusers repository's model_index.json, where the weights come from one
 * @returns undefined when nothing is known: the name is not a released one's
 */
export function knownPipeline(file: Pick<WeightFile, "name">, zeroCond: boolean, index?: string): EditPipeline | undefined {
  if (zeroCond) return "edit_plus";
  const parsed = modelIndex.safeParse(index && jsonOf(index));
  if (parsed.success)
    return /EditPlus/.test(parsed.data._class_name) ? "edit_plus" : /QwenImage/.test(parsed.data._class_name) ? "edit" : undefined;
  if (/2509|2511|edit[-_]?plus/i.test(file.name)) return "edit_plus";
  return ORIGINAL.test(file.name.replace(/\.(safetensors|gguf)$/i, "")) ? "edit" : undefined;
}
