import { declareNode, input } from "../../engine/node/define-node.ts";
import { IMAGE, LATENT, VAE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "VAEDecode",
  version: "1.0.0",
  category: "latent",
  summary: "Decodes raw latents into pictures, clamped to 0..1.",
  inputs: { samples: input(LATENT), vae: input(VAE) },
  outputs: { IMAGE },
  cache: "pure",
});
