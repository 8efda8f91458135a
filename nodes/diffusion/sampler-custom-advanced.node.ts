import { declareNode, input } from "../../engine/node/define-node.ts";
import { GUIDER, LATENT, NOISE, SAMPLER, SIGMAS } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "SamplerCustomAdvanced",
  version: "1.0.0",
  category: "sampling/custom_sampling",
  summary: "KSampler in parts: noise, guider, sampler and noise levels come from nodes of their own.",
  inputs: { noise: input(NOISE), guider: input(GUIDER), sampler: input(SAMPLER), sigmas: input(SIGMAS), latent_image: input(LATENT) },
  outputs: { output: LATENT, denoised_output: LATENT },
  cache: "pure",
});
