import { declareNode, input } from "../../engine/node/define-node.ts";
import { LATENT, MASK } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "SetLatentNoiseMask",
  version: "1.0.0",
  category: "latent/inpaint",
  summary: "Says where a sampler may change a latent: inpainting.",
  inputs: { samples: input(LATENT), mask: input(MASK) },
  outputs: { LATENT },
  cache: "pure",
});
