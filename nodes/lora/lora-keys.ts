// The grammar of LoRA tensor names: which Linear a key belongs to, and which of its parts.
import { AppError } from "../../engine/base/errors.ts";

/** A tensor of one layer: low-rank factors, LyCORIS' LoKr and LoHa, or whole differences. */
export const LORA_PARTS = [
  "A",
  "B",
  "alpha",
  "lokr_w1",
  "lokr_w1_a",
  "lokr_w1_b",
  "lokr_w2",
  "lokr_w2_a",
  "lokr_w2_b",
  "hada_w1_a",
  "hada_w1_b",
  "hada_w2_a",
  "hada_w2_b",
  "diff",
  "diff_b",
  "dora_scale",
  "magnitude",
] as const;
export type LoraPart = (typeof LORA_PARTS)[number];

const PARTS: readonly (readonly [suffix: RegExp, part: (match: RegExpExecArray) => LoraPart])[] = [
  [/\.lora_([AB])(?:\.[^.]+){0,2}\.weight$/, (m) => (m[1] === "A" ? "A" : "B")],
  [/(?:\.|_)lora(?:_linear_layer)?[._](down|up)\.weight$/, (m) => (m[1] === "down" ? "A" : "B")],
  [/\.lora_magnitude_vector(?:\.[^.]+){0,2}$/, () => "magnitude"],
  [/\.(alpha|dora_scale|lokr_w[12](?:_[ab])?|hada_w[12]_[ab]|diff|diff_b)$/, (m) => LORA_PARTS.find((part) => part === m[1]) ?? "alpha"],
];

/** Kinds of adapter that are not a plain low-rank product, by a suffix only they have. */
const REFUSED: readonly (readonly [key: RegExp, what: string])[] = [
  [/\.(lokr_t2|hada_t[12])$/, "a LoKr or LoHa of a convolution (with a core tensor)"],
  [/\.set_weight$/, "whole weights in place of differences"],
  [/\.reshape_weight$/, "a LoRA that changes the size of a layer"],
  [/\.lora_mid\.weight$/, "LoCon with a middle factor"],
  [/\.(oft_blocks|oft_diag|boft_)/, "OFT"],
  [/\.(a1|a2|b1|b2)\.weight$/, "GLoRA"],
];

const DOTTED = ["base_model.model.", "model.diffusion_model.", "diffusion_model.", "transformer."];
const UNDERSCORED = ["lora_unet_", "lycoris_", "lora_transformer_"];

/** Splits a tensor name into its layer (still with the prefix) and its part. Null when it is not a LoRA tensor. */
export function splitKey(key: string): { readonly base: string; readonly part: LoraPart } | null {
  for (const [suffix, part] of PARTS) {
    const match = suffix.exec(key);
    if (match) return { base: key.slice(0, match.index), part: part(match) };
  }
  return null;
}

/** @throws AppError LORA_KIND naming what the file holds instead of a plain LoRA. */
export function refuseOtherKinds(fileName: string, keys: Iterable<string>): void {
  for (const key of keys)
    for (const [pattern, what] of REFUSED)
      if (pattern.test(key))
        throw new AppError("LORA_KIND", `${fileName} holds ${what}: ${key}`, {
          hint: "LoRA, DoRA, LoKr, LoHa and weight differences are applied; convert the file, or merge it into the model",
        });
}

/**
 * Finds layers by every way files spell them. Underscored names are looked up in a dictionary made from the model's own
 * layers: `to_add_out` or `net_0_proj` cannot be split by rule.
 */
export function layerFinder(layers: Iterable<string>): (base: string) => string | undefined {
  const dotted = new Set(layers);
  const underscored = new Map([...dotted].map((path) => [path.replaceAll(".", "_"), path]));
  return (base) => {
    let path = base;
    for (const prefix of DOTTED) if (path.startsWith(prefix)) path = path.slice(prefix.length);
    // `attn.processor.to_out_lora` of the first diffusers releases.
    const plain = path.replace(".processor.", ".");
    for (const candidate of [path, plain, `${plain}.0`]) if (dotted.has(candidate)) return candidate;
    for (const prefix of UNDERSCORED) if (base.startsWith(prefix)) return underscored.get(base.slice(prefix.length));
    return underscored.get(path);
  };
}
