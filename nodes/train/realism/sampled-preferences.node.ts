import { z } from "zod";
import { declareNode, input, optional, widget } from "../../../engine/node/define-node.ts";
import { CLIP, DATASET, MODEL, PREFERENCES, VAE } from "../../shared/contracts/sockets.ts";
import { count, VISION_SIZE } from "../train-options.ts";

export default declareNode({
  type: "SampledPreferences",
  version: "1.0.0",
  category: "realism",
  summary: "Real against generated: the targets of a dataset, each beside what a model draws for the same prompt and references.",
  inputs: {
    dataset: input(DATASET),
    model: optional(MODEL, "Without it the targets are compared only with worsened versions of themselves."),
    vae: optional(VAE),
    clip: optional(CLIP),
    train: widget(count(1, 100_000, 96), { tooltip: "Training pairs" }),
    held_out: widget(count(0, 100_000, 32), { tooltip: "Pairs of people who are not trained on" }),
    denoise_steps: widget(count(1, 1000, 12)),
    seed: widget(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0)),
    vision_size: VISION_SIZE,
  },
  outputs: { preferences: PREFERENCES },
  cache: "seeded",
});
