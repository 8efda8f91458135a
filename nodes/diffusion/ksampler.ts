import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./ksampler.node.ts";
import { sampleComfyui } from "./sampling/sample-comfyui.ts";
import { scheduleFor } from "./sampling/schedulers.ts";

export default implementNode(declaration, {
  async run({ model, seed, steps, cfg, sampler_name, scheduler, positive, negative, latent_image, denoise }, ctx) {
    const { output } = await sampleComfyui(ctx, {
      guider: { model, positive, negative, cfg },
      latent: latent_image,
      noise: { seed },
      sampler: sampler_name,
      sigmas: scheduleFor(sampler_name, scheduler, model.sampling, steps, denoise),
    });
    return { LATENT: output };
  },
});
