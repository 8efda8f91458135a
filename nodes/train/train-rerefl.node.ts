import { declareNode } from "../../engine/node/define-node.ts";
import { LORA, MODEL } from "../shared/contracts/sockets.ts";
import { checkWidgets, TRAIN_INPUTS } from "./train-options.ts";

export const VERSION = "1.4.0";

export default declareNode({
  type: "TrainReReFL",
  version: VERSION,
  category: "train",
  summary: "Trains a LoRA on a reward's gradient through the late denoising steps (ReReFL), or by SFT, DRaFT, FlowBP or the identity loss.",
  inputs: TRAIN_INPUTS,
  outputs: { model: MODEL, lora: LORA },
  cache: "seeded",
  stop: "finish",
  check: checkWidgets,
});
