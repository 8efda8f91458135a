import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { CLIP, DATASET, FLOAT, METRICS, MODEL, REWARD, VAE } from "../shared/contracts/sockets.ts";
import { count, VISION_SIZE } from "./train-options.ts";

export default declareNode({
  type: "RewardBaseline",
  version: "1.0.0",
  category: "train",
  summary:
    "R0: the mean reward of what a model draws for training examples. Link it to the floor of HingeReward, or to constraint_min, to keep what the model has.",
  inputs: {
    model: input(MODEL),
    vae: input(VAE),
    clip: input(CLIP),
    dataset: input(DATASET),
    reward: input(REWARD),
    examples: widget(count(1, 10_000, 8)),
    denoise_steps: widget(count(1, 1000, 30)),
    margin: widget(z.number().min(-1e6).max(1e6).default(0), { tooltip: "Taken off: how much may be lost", step: 0.01 }),
    seed: widget(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0)),
    vision_size: VISION_SIZE,
  },
  outputs: { FLOAT, METRICS },
  cache: "seeded",
});
