import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { defineNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { torchRandn } from "../../engine/tensor/torch-random.ts";
import { CONDITIONING, LATENT, MODEL } from "../shared/contracts/sockets.ts";
import { SCHEDULES, sampleDiffusers } from "./sampling/sample-diffusers.ts";
import { seedSchema } from "./sampling/seed-schema.ts";

const CHANNELS = 16;
const side = (of: string) =>
  widget(z.int().min(0).max(16384).default(0), {
    step: 16,
    tooltip: `${of} in pixels, cut to a multiple of 16; 0 = as the last reference picture.`,
  });

export default defineNode({
  type: "QwenImageEditSampler",
  version: "1.0.0",
  category: "sampling",
  summary: "Denoises from pure noise with diffusers' arithmetic (QwenImageEditPlusPipeline): dynamic shift, true CFG.",
  inputs: {
    model: input(MODEL),
    positive: input(CONDITIONING),
    negative: optional(CONDITIONING, "Without it there is no guidance."),
    seed: widget(seedSchema, { controlAfterGenerate: true, tooltip: "Of the noise: torch's CPU generator in float32, as in ComfyUI." }),
    steps: widget(z.int().min(1).max(1000).default(40), { tooltip: "40; 4 or 8 with a Lightning LoRA." }),
    true_cfg_scale: widget(z.number().min(0).max(100).default(4), { step: 0.1, tooltip: "1 or less: no guidance, half the time." }),
    schedule: widget(z.enum(SCHEDULES).default("dynamic"), { tooltip: "lightning: what the 4- and 8-step LoRAs were distilled for." }),
    width: side("Width"),
    height: side("Height"),
  },
  outputs: { LATENT },
  cache: "seeded",
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
