import { z } from "zod";
import { declareNode, input, widget } from "../../../engine/node/define-node.ts";
import { CLIP, DATASET, MODEL, VAE } from "../../shared/contracts/sockets.ts";
import { count, real, VISION_SIZE } from "../train-options.ts";
import { averageWidget, outputWidgets, scheduleWidgets } from "./pretrain-widgets.ts";

export default declareNode({
  type: "PretrainTransformer",
  version: "1.1.0",
  category: "train",
  summary:
    "Trains all parameters of a Qwen-Image-Edit transformer by flow matching on a dataset; the VAE stays as it is, the text encoder may learn too.",
  inputs: {
    model: input(MODEL),
    vae: input(VAE),
    clip: input(CLIP),
    dataset: input(DATASET),
    steps: widget(count(1, 1_000_000, 3000), { tooltip: "Updates" }),
    batch: widget(count(1, 256, 8), { tooltip: "Examples per update" }),
    ...scheduleWidgets(0.001, 100),
    weight_decay: widget(real(0, 1, 0.01)),
    ema_decay: averageWidget(0.995),
    shift: widget(real(0.01, 100, 1.65), { tooltip: "σ = shift·u / (1 + (shift − 1)·u) with u uniform" }),
    face_weight: widget(real(0, 1000, 3), { tooltip: "Weight of tokens in a face beside 1 elsewhere" }),
    train_text_encoder: widget(z.boolean().default(false), {
      tooltip: "Its language model learns with the transformer, and is saved beside it; the vision tower stays",
    }),
    ...outputWidgets(200, "pretrain/transformer"),
    vision_size: VISION_SIZE,
  },
  outputs: {},
  isOutput: true,
  cache: "seeded",
  stop: "finish",
});
