import { z } from "zod";
import { defineNode, widget } from "../../engine/node/define-node.ts";
import { VAE } from "../shared/contracts/sockets.ts";
import { loadVae } from "./vae/load-vae.ts";

export default defineNode({
  type: "VAELoader",
  version: "1.0.0",
  category: "loaders",
  summary: "Opens the VAE of Qwen-Image from a ComfyUI file or a diffusers folder.",
  inputs: {
    vae_name: widget(z.string().min(1), {
      tooltip: "A .safetensors file, or a diffusers folder, below the vae model folder.",
      file: { kind: "model", folder: "vae" },
    }),
  },
  outputs: { VAE },
  cache: "pure",
  isCheap: true,
  async run({ vae_name }, ctx) {
    return { VAE: await loadVae(await ctx.models.open("vae", vae_name)) };
  },
});
