import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { torchRandn } from "../../engine/tensor/torch-random.ts";
import { flowMatchSigmas } from "../shared/diffusion/flow-match-sigmas.ts";
import { tokenSide, tokensOf } from "../shared/diffusion/latent-space.ts";
import { sampleFlow } from "../shared/diffusion/sample-flow.ts";
import declaration from "./qwen-image-edit-sampler.node.ts";
import { LIGHTNING_SCHEDULER } from "./sampling/scheduler-config.ts";

export default implementNode(declaration, {
  async run({ model, positive, negative, seed, steps, true_cfg_scale, schedule, width, height }, ctx) {
    const { latentSpace: space } = model;
    const [, , lastHeight = 0, lastWidth = 0] = positive.referenceLatents.at(-1)?.samples.shape ?? [];
    const grid = {
      h: Math.floor((height || lastHeight * space.cell) / tokenSide(space)),
      w: Math.floor((width || lastWidth * space.cell) / tokenSide(space)),
    };
    if (!grid.h || !grid.w)
      throw new AppError("SAMPLER_SIZE", "there is no reference picture to take the size from", {
        hint: "set width and height, 16 or more",
      });
    const [h, w] = [grid.h * space.patch, grid.w * space.patch];
    const noise = f32([1, space.channels, h, w], torchRandn(seed, space.channels * h * w));
    const sigmas =
      schedule === "lightning" ? flowMatchSigmas(steps, tokensOf(grid), LIGHTNING_SCHEDULER) : model.schedule.sigmas(steps, grid);
    return { LATENT: await sampleFlow(ctx, { model, positive, negative, noise, scale: true_cfg_scale, sigmas }) };
  },
});
