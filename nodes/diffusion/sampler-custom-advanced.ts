import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./sampler-custom-advanced.node.ts";
import { sampleComfyui } from "./sampling/sample-comfyui.ts";

export default implementNode(declaration, {
  async run({ noise, guider, sampler, sigmas, latent_image }, ctx) {
    const { output, denoised } = await sampleComfyui(ctx, { guider, latent: latent_image, noise, sampler, sigmas });
    return { output, denoised_output: denoised };
  },
});
