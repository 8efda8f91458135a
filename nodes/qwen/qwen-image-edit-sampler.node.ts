import { z } from "zod";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { CONDITIONING, LATENT, MODEL } from "../shared/contracts/sockets.ts";
import { seedSchema } from "../shared/diffusion/seed-schema.ts";
import { DIFFUSERS_SCHEDULES } from "./sampling/diffusers-schedules.ts";

const side = (of: string) =>
  widget(z.int().min(0).max(16384).default(0), {
    step: 16,
    tooltip: `${of} in pixels, cut to a multiple of 16; 0 = as the last reference picture.`,
  });

export default declareNode({
  type: "QwenImageEditSampler",
  version: "1.0.0",
  category: "sampling",
  summary: "Denoises from pure noise with diffusers' arithmetic (QwenImageEditPlusPipeline): dynamic shift, true CFG.",
  inputs: {
    model: input(MODEL),
    positive: input(CONDITIONING),
    negative: optional(CONDITIONING, "Without it there is no guidance."),
    seed: widget(seedSchema, {
      controlAfterGenerate: true,
      tooltip: "Seed of the noise, for torch's CPU generator in float32 as in ComfyUI.",
    }),
    steps: widget(z.int().min(1).max(1000).default(40), { tooltip: "40; 4 or 8 with a Lightning LoRA." }),
    true_cfg_scale: widget(z.number().min(0).max(100).default(4), { step: 0.1, tooltip: "1 or less: no guidance, half the time." }),
    schedule: widget(z.enum(DIFFUSERS_SCHEDULES).default("dynamic"), {
      tooltip: "lightning: what the 4- and 8-step LoRAs were distilled for.",
    }),
    width: side("Width"),
    height: side("Height"),
  },
  outputs: { LATENT },
  cache: "seeded",
});
