import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";

const LoraConfig = z.looseObject({
  r: z.number().positive().optional(),
  lora_alpha: z.number().optional(),
  alpha_pattern: z.record(z.string(), z.number()).optional(),
  use_rslora: z.boolean().optional(),
  use_dora: z.boolean().optional(),
});

/** alpha/rank (or alpha/√rank) of one layer; rank is read off the tensor, so rank_pattern needs no reading. */
export type ScaleOf = (layer: string, rank: number) => number;

/**
 * The scale peft's own metadata gives (`lora_adapter_metadata`: JSON, keys with or without a `transformer.` before them).
 * Without metadata the scale is 1, as diffusers and ComfyUI take a file without alpha.
 * @param hasLengths whether the file has DoRA's
 * @throws AppError LORA_METADATA, LORA_KIND
 */
export function metadataScale(fileName: string, metadata: Readonly<Record<string, string>>, hasLengths: boolean): ScaleOf {
  const text = metadata.lora_adapter_metadata;
  if (text === undefined) return () => 1;
  const config = parse(fileName, text);
  if (config.use_dora && !hasLengths)
    throw new AppError("LORA_KIND", `${fileName} is DoRA by its metadata (use_dora), and has none of its lengths (lora_magnitude_vector)`, {
      hint: "the file is incomplete: download it again, or save it again",
    });
  const { lora_alpha, use_rslora = false } = config;
  if (lora_alpha === undefined) return () => 1;
  const patterns = Object.entries(config.alpha_pattern ?? {});
  return (layer, rank) => {
    const alpha = patterns.find(([key]) => means(key, layer))?.[1] ?? lora_alpha;
    return alpha / (use_rslora ? Math.sqrt(rank) : rank);
  };
}

function parse(fileName: string, text: string): z.infer<typeof LoraConfig> {
  try {
    const entries = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
    const prefix = Object.keys(entries).some((k) => k.startsWith("transformer.")) ? "transformer." : "";
    return LoraConfig.parse(
      Object.fromEntries(Object.entries(entries).flatMap(([k, v]) => (k.startsWith(prefix) ? [[k.slice(prefix.length), v]] : []))),
    );
  } catch (cause) {
    throw new AppError("LORA_METADATA", `lora_adapter_metadata of ${fileName} cannot be read`, { cause });
  }
}

/** A key of alpha_pattern stands for the layers whose path ends with it. peft reads it as a regular expression; we never run foreign ones. */
function means(key: string, layer: string): boolean {
  const path = key.replace(/^\^/, "").replaceAll("\\.", ".");
  return layer === path || layer.endsWith(`.${path}`);
}
