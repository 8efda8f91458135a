// The VAE against diffusers: vae_tiny_diffusers, vae_tiny_comfy and what they must give, vae_tiny_io.
import { newBuilder } from "../../engine/ops/table.ts";
import { loadVae } from "../../nodes/qwen/vae/load-vae.ts";
import { relativeError } from "../relative-error.ts";
import { EXACT, type Family, withConfig } from "./golden.ts";

/** Cases of the two namings; nothing where the files are absent. */
export const vae: Family = async function* (golden) {
  const io = await golden.open("vae_tiny_io.safetensors");
  if (!io) return;
  const [image, z] = [await io.read("image"), await io.read("z_raw")];
  for (const naming of ["vae_tiny_diffusers", "vae_tiny_comfy"]) {
    const file = await golden.open(`${naming}.safetensors`);
    if (!file) continue;
    // The cases are of raw latents; another number of channels than 16 has no normalisation of its own.
    const channels = new Array<number>(z.shape[1] ?? 0).fill(0);
    const module = await loadVae(withConfig(file, { latents_mean: channels, latents_std: channels.map(() => 1) }));
    const b = newBuilder();
    const latent = module.encode.build(b, b.input("image", "float32", image.shape));
    const decoded = module.decode.build(b, b.input("z", "float32", z.shape));
    const result = await golden.compute.run(b.graph({ latent, decoded }), { image, z });
    yield { name: `${naming} encode`, error: relativeError(result.latent, await io.read("latent_mode_raw")), limit: EXACT };
    yield { name: `${naming} decode`, error: relativeError(result.decoded, await io.read("decoded")), limit: EXACT };
  }
};
