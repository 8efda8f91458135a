import { implementNode } from "../../engine/node/define-node.ts";
import { torchRandn } from "../../engine/tensor/torch-random.ts";
import declaration from "./ksampler.node.ts";
import { sampleComfyui } from "./sampling/sample-comfyui.ts";

export default implementNode(declaration, {
  async run({ model, seed, steps, cfg, sampler_name, scheduler, positive, negative, latent_image, denoise }, ctx) {
    const noise = torchRandn(seed, latent_image.samples.data.length);
    const LATENT = await sampleComfyui(ctx, {
      model,
      positive,
      negative,
      latent: latent_image,
      noise,
      steps,
      cfg,
      sampler: sampler_name,
      scheduler,
      denoise,
    });
    return { LATENT };
  },
});
