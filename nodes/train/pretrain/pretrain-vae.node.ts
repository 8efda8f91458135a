import { z } from "zod";
import { declareNode, input, widget } from "../../../engine/node/define-node.ts";
import { DATASET, VAE } from "../../shared/contracts/sockets.ts";
import { count, real } from "../train-options.ts";
import { averageWidget, outputWidgets, scheduleWidgets } from "./pretrain-widgets.ts";

export default declareNode({
  type: "PretrainVAE",
  version: "1.0.0",
  category: "train",
  summary: "Trains a VAE to give back the pictures of a dataset, from a latent that looks like unit noise to the samplers.",
  inputs: {
    vae: input(VAE),
    dataset: input(DATASET),
    parts: widget(z.enum(["all", "decoder"]).default("all"), {
      tooltip: "decoder: the latents stay what they are, so a transformer trained on them stays good",
    }),
    steps: widget(count(1, 1_000_000, 1500), { tooltip: "Updates; scenes and portraits take turns" }),
    batch: widget(count(1, 256, 4), { tooltip: "Pictures per update" }),
    crop: widget(count(0, 4096, 0), {
      tooltip:
        "Side of the squares that are cut from the pictures, three of four round a face: fine detail is learned faster. 0 = whole pictures",
    }),
    ...scheduleWidgets(0.002, 50),
    ema_decay: averageWidget(0.99),
    latent_noise: widget(real(0, 1, 0.05), { tooltip: "Standard deviation added to the normalised latent: what a sampler gets wrong" }),
    moment_weight: widget(real(0, 1e6, 0.05), { tooltip: "Holds each latent channel near mean 0 and variance 1" }),
    ...outputWidgets(100, "pretrain/vae"),
  },
  outputs: {},
  isOutput: true,
  cache: "seeded",
  stop: "finish",
});
