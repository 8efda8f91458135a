import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { CONDITIONING, LATENT, MODEL } from "../shared/contracts/sockets.ts";
import { seedSchema } from "../shared/diffusion/seed-schema.ts";
import { SAMPLERS } from "./sampling/sampler-names.ts";
import { SCHEDULERS } from "./sampling/schedulers.ts";

export default declareNode({
  type: "KSampler",
  version: "1.1.0",
  category: "sampling",
  summary: "Denoises a latent with ComfyUI's arithmetic: same seed, same noise, same picture.",
  inputs: {
    model: input(MODEL),
    seed: widget(seedSchema, { controlAfterGenerate: true, tooltip: "Seed of the noise, for torch's CPU generator as in ComfyUI." }),
    steps: widget(z.int().min(1).max(10000).default(20)),
    cfg: widget(z.number().min(0).max(100).default(8), { step: 0.1, tooltip: "At 1 the negative prompt is not evaluated." }),
    sampler_name: widget(z.enum(SAMPLERS).default("euler")),
    scheduler: widget(z.enum(SCHEDULERS).default("simple")),
    positive: input(CONDITIONING),
    negative: input(CONDITIONING),
    latent_image: input(LATENT),
    denoise: widget(z.number().min(0).max(1).default(1), { step: 0.01, tooltip: "Below 1 keeps something of latent_image." }),
  },
  outputs: { LATENT },
  cache: "seeded",
});
