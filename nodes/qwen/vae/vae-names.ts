// The two namings of this VAE's tensors, and the VAEs that are not this one.
import { AppError } from "../../../engine/base/errors.ts";
import type { WeightFile } from "../../../engine/node/context.ts";

/** What tells another autoencoder by its tensors. The first that matches names it. */
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

const WAN_RESIDUAL: Readonly<Record<string, string>> = {
  "residual.0": "norm1",
  "residual.2": "conv1",
  "residual.3": "norm2",
  "residual.6": "conv2",
  shortcut: "conv_shortcut",
};

/**
 * Tensor names by diffusers name: `decoder.up_blocks.0.resnets.1.conv1.weight` → the name in the file. ComfyUI's single file
 * carries Wan 2.1's names (source: the table of the Qwen-Image VAE's conversion, diffusers `autoencoder_kl_qwenimage`).
 * @throws AppError VAE_FAMILY when the file holds something else, saying what where it can.
 */
export function vaeNames(file: WeightFile): ReadonlyMap<string, string> {
  const has = (name: string): boolean => file.tensors.has(name);
  const other = OTHERS.find((o) => o.is(has, file));
  const wan = has("decoder.middle.0.residual.0.gamma");
  if (other || !(wan || has("decoder.mid_block.resnets.0.norm1.gamma")))
    throw new AppError(
      "VAE_FAMILY",
      `${file.name} is ${other?.what ?? "not an autoencoder this program knows"}; the VAE of Qwen-Image is wanted`,
      {
        hint: "use qwen_image_vae.safetensors (ComfyUI) or the vae folder of a Qwen-Image-Edit repository (diffusers)",
      },
    );
  if (!wan) return new Map([...file.tensors.keys()].map((name) => [name, name]));
  const blocks = upBlocks(has);
  return new Map([...file.tensors.keys()].map((name) => [fromWan(name, blocks), name]));
}

/** Diffusers' place of each entry of Wan's flat `decoder.upsamples`: residual blocks, then the upsampler that ends a level. */
function upBlocks(has: (name: string) => boolean): readonly string[] {
  const places: string[] = [];
  let level = 0;
  let resnet = 0;
  for (let k = 0; ; k++) {
    if (has(`decoder.upsamples.${k}.residual.2.weight`)) places.push(`up_blocks.${level}.resnets.${resnet++}`);
    else if (has(`decoder.upsamples.${k}.resample.1.weight`)) {
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
