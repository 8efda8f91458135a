import { declareNode, input } from "../../engine/node/define-node.ts";
import { IMAGE, LATENT, VAE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "VAEEncode",
  version: "1.0.0",
  category: "latent",
  summary: "Encodes pictures into raw latents; crops each to multiples of 8 pixels, centred.",
  inputs: { pixels: input(IMAGE), vae: input(VAE) },
  outputs: { LATENT },
  cache: "pure",
});
