import { z } from "zod";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { CLIP, DATASET, FACE_DETECTOR, FACE_ENCODER, IMAGE, METRICS, MODEL, REWARD, VAE } from "../shared/contracts/sockets.ts";
import { VISION_SIZE } from "./train-options.ts";

export default declareNode({
  type: "EvaluateEdits",
  version: "1.4.0",
  category: "evaluate",
  summary:
    "Draws held-out examples at fixed seeds and measures them: a reward with all its parts, likeness to the true picture, and identity by one or two encoders of your choice (the first best another than the reward's).",
  inputs: {
    model: input(MODEL),
    vae: input(VAE),
    clip: input(CLIP),
    dataset: input(DATASET),
    detector: input(FACE_DETECTOR),
    encoder: input(FACE_ENCODER),
    encoder_2: optional(FACE_ENCODER, "A second opinion: the same numbers once more, with _2 behind their names"),
    reward: optional(REWARD),
    label: widget(z.string().default("after"), { tooltip: "Name of these numbers in run.json" }),
    examples: widget(z.number().int().min(1).max(10_000).default(8)),
    denoise_steps: widget(z.number().int().min(1).max(1000).default(30)),
    true_cfg_scale: widget(z.number().min(1).max(30).default(1)),
    negative_prompt: widget(z.string().default(" ")),
    seed: widget(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0)),
    vision_size: VISION_SIZE,
  },
  outputs: { METRICS, pictures: IMAGE },
  cache: "seeded",
});
