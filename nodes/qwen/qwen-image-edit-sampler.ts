import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { torchRandn } from "../../engine/tensor/torch-random.ts";
import declaration from "./qwen-image-edit-sampler.node.ts";
import { sampleDiffusers } from "./sampling/sample-diffusers.ts";

const CHANNELS = 16;

export default implementNode(declaration, {
  async run({ model, positive, negative, seed, steps, true_cfg_scale, schedule, width, height }, ctx) {
    const [, , lastHeight = 0, lastWidth = 0] = positive.referenceLatents.at(-1)?.shape ?? [];
    const h = 2 * Math.floor((height || lastHeight * 8) / 16);
    const w = 2 * Math.floor((width || lastWidth * 8) / 16);
    if (!h || !w)
      throw new AppError("SAMPLER_SIZE", "there is no reference picture to take the size from", {
        hint: "set width and height, 16 or more",
      });
    const noise = f32([1, CHANNELS, h, w], torchRandn(seed, CHANNELS * h * w));
    const samples = await sampleDiffusers(ctx, { model, positive, negative, noise, steps, trueCfgScale: true_cfg_scale, schedule });
    return { LATENT: { samples } };
  },
});
