import { defineNode, input } from "../../engine/node/define-node.ts";
import { IMAGE, LATENT, VAE } from "../shared/contracts/sockets.ts";
import { encodeImages } from "./vae/encode-images.ts";

export default defineNode({
  type: "VAEEncode",
  version: "1.0.0",
  category: "latent",
  summary: "Encodes pictures into raw latents; crops each to multiples of 8 pixels, centred.",
  inputs: { pixels: input(IMAGE), vae: input(VAE) },
  outputs: { LATENT },
  cache: "pure",
  async run({ pixels, vae }, ctx) {
    return { LATENT: { samples: await encodeImages(ctx.compute, vae, pixels) } };
  },
});
