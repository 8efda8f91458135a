// The two namings of this VAE's tensors, and the VAEs that are not this one.
import { AppError } from "../../../engine/base/errors.ts";
import type { WeightFile } from "../../../engine/node/context.ts";

/** Tensors that identify another autoencoder. The first that matches names it. */
const OTHERS: readonly { readonly what: string; readonly is: (has: (name: string) => boolean, file: WeightFile) => boolean }[] = [
  { what: "the Wan 2.2 VAE", is: (has) => has("decoder.upsamples.0.upsamples.0.residual.2.weight") },
  {
    what: "the Wan 2.2 VAE (diffusers)",
    is: (has, f) => has("decoder.up_blocks.0.resnets.0.norm1.gamma") && channels(f, "encoder.conv_in.weight") === 12,
  },
  { what: "the VAE of Qwen-Image-Layered (RGBA)", is: (_, f) => channels(f, "encoder.conv_in.weight", "encoder.conv1.weight") === 4 },
  { what: "a HunyuanVideo VAE", is: (has) => has("decoder.conv_in.conv.weight") },
  {
    what: "an LTX-Video VAE",
    is: (has) =>
      has("decoder.up_blocks.0.res_blocks.0.conv1.conv.weight") || has("decoder.last_time_embedder.timestep_embedder.linear_1.weight"),
  },
  { what: "a TAESD preview decoder", is: (has) => has("taesd_decoder.1.weight") || has("decoder.layers.0.weight") },
  { what: "the FLUX.2 VAE", is: (_, f) => latentChannels(f) === 32 },
  { what: "the VAE of FLUX or Stable Diffusion 3", is: (_, f) => latentChannels(f) === 16 },
  { what: "the VAE of Stable Diffusion 1.x, 2.x or XL", is: (_, f) => latentChannels(f) === 4 },
  { what: "a Qwen-Image transformer, not a VAE", is: (has) => has("txt_norm.weight") || has("model.diffusion_model.txt_norm.weight") },
  {
    what: "a text encoder, not a VAE",
    is: (has) =>
      has("model.embed_tokens.weight") ||
      has("model.language_model.embed_tokens.weight") ||
      has("text_model.embeddings.token_embedding.weight"),
  },
  { what: "a whole checkpoint of another model", is: (has) => has("first_stage_model.decoder.conv_in.weight") },
];

function channels(file: WeightFile, ...names: readonly string[]): number | undefined {
  for (const name of names) {
    const entry = file.tensors.get(name);
    if (entry) return entry.shape[1];
  }
  return undefined;
}

/** Latent channels of the 2-D (Stable Diffusion family) decoders: their conv_in is a 4-D weight. */
function latentChannels(file: WeightFile): number | undefined {
  const entry = file.tensors.get("decoder.conv_in.weight");
  return entry?.shape.length === 4 ? entry.shape[1] : undefined;
}

export interface VaeNames {
  /** Diffusers name → name in the file. */
  readonly names: ReadonlyMap<string, string>;
  /** What the file calls, or would call, a tensor of a diffusers name. */
  inFile(name: string): string;
}

const WAN_RESIDUAL: Readonly<Record<string, string>> = {
  "residual.0": "norm1",
  "residual.2": "conv1",
  "residual.3": "norm2",
  "residual.6": "conv2",
  shortcut: "conv_shortcut",
};

/**
 * Tensor names both ways: `decoder.up_blocks.0.resnets.1.conv1.weight` → the name in the file. ComfyUI's single file
 * carries Wan 2.1's names (source: the table of the Qwen-Image VAE's conversion, diffusers `autoencoder_kl_qwenimage`).
 * @throws AppError VAE_FAMILY when the file holds something else, saying what where it can.
 */
export function vaeNames(file: WeightFile): VaeNames {
  const has = (name: string): boolean => file.tensors.has(name);
  const other = OTHERS.find((o) => o.is(has, file));
  // More than one tensor has each mark, so that an incomplete file is still recognised.
  const some = (mark: RegExp): boolean => [...file.tensors.keys()].some((name) => mark.test(name));
  const wan = some(/^decoder\.middle\.\d\.residual\.\d\.gamma$/);
  if (other || !(wan || some(/^decoder\.mid_block\.resnets\.\d\.norm\d\.gamma$/)))
    throw new AppError(
      "VAE_FAMILY",
      `${file.name} is ${other?.what ?? "not an autoencoder this program knows"}; the VAE of Qwen-Image is wanted`,
      {
        hint: "use qwen_image_vae.safetensors (ComfyUI) or the vae folder of a Qwen-Image-Edit repository (diffusers)",
      },
    );
  if (!wan) return { names: new Map([...file.tensors.keys()].map((name) => [name, name])), inFile: (name) => name };
  const blocks = upBlocks(some);
  const names = new Map([...file.tensors.keys()].map((name) => [fromWan(name, blocks), name]));
  return { names, inFile: (name) => toWan(name, blocks) };
}

/** Diffusers' place of each entry of Wan's flat `decoder.upsamples`: residual blocks, then the upsampler that ends a level. */
function upBlocks(some: (mark: RegExp) => boolean): readonly string[] {
  const places: string[] = [];
  let level = 0;
  let resnet = 0;
  for (let k = 0; ; k++) {
    if (some(new RegExp(`^decoder\\.upsamples\\.${k}\\.(residual|shortcut)\\.`))) places.push(`up_blocks.${level}.resnets.${resnet++}`);
    else if (some(new RegExp(`^decoder\\.upsamples\\.${k}\\.(resample|time_conv)\\.`))) {
      places.push(`up_blocks.${level++}.upsamplers.0`);
      resnet = 0;
    } else return places;
  }
}

function fromWan(name: string, blocks: readonly string[]): string {
  return name
    .replace(/^conv1\./, "quant_conv.")
    .replace(/^conv2\./, "post_quant_conv.")
    .replace(/^(encoder|decoder)\.conv1\./, "$1.conv_in.")
    .replace(/^(encoder|decoder)\.head\.0\./, "$1.norm_out.")
    .replace(/^(encoder|decoder)\.head\.2\./, "$1.conv_out.")
    .replace(/^(encoder|decoder)\.middle\.1\./, "$1.mid_block.attentions.0.")
    .replace(/^(encoder|decoder)\.middle\.([02])\./, (_, side, n) => `${side}.mid_block.resnets.${n === "0" ? 0 : 1}.`)
    .replace(/^encoder\.downsamples\./, "encoder.down_blocks.")
    .replace(/^decoder\.upsamples\.(\d+)\./, (whole, k) => (blocks[Number(k)] === undefined ? whole : `decoder.${blocks[Number(k)]}.`))
    .replace(/\.(residual\.[0236]|shortcut)\./, (_, part) => `.${WAN_RESIDUAL[part]}.`);
}

/** {@link fromWan} backwards. */
function toWan(name: string, blocks: readonly string[]): string {
  const parts = Object.entries(WAN_RESIDUAL);
  return name
    .replace(/^quant_conv\./, "conv1.")
    .replace(/^post_quant_conv\./, "conv2.")
    .replace(/^(encoder|decoder)\.conv_in\./, "$1.conv1.")
    .replace(/^(encoder|decoder)\.norm_out\./, "$1.head.0.")
    .replace(/^(encoder|decoder)\.conv_out\./, "$1.head.2.")
    .replace(/^(encoder|decoder)\.mid_block\.attentions\.0\./, "$1.middle.1.")
    .replace(/^(encoder|decoder)\.mid_block\.resnets\.([01])\./, (_, side, n) => `${side}.middle.${n === "0" ? 0 : 2}.`)
    .replace(/^encoder\.down_blocks\./, "encoder.downsamples.")
    .replace(/^decoder\.(up_blocks\.\d+\.(?:resnets|upsamplers)\.\d+)\./, (whole, place) =>
      blocks.includes(place) ? `decoder.upsamples.${blocks.indexOf(place)}.` : whole,
    )
    .replace(/(?<=\.\d+)\.(norm1|conv1|norm2|conv2|conv_shortcut)\./, (_, part) => `.${parts.find(([, p]) => p === part)?.[0]}.`);
}
