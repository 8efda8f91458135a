import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { VAE } from "../shared/contracts/sockets.ts";

export default declareNode({
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
});
