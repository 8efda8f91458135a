import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { REWARD } from "../shared/contracts/sockets.ts";
import { ONNX_MODEL } from "./onnx-sockets.ts";

export const READ = ["mean", "element", "probability", "cosine to target"] as const;

export default declareNode({
  type: "OnnxReward",
  version: "1.0.0",
  category: "rewards",
  summary: "Any ONNX model of a picture as a reward: a score, one class, its probability, or likeness to the target picture.",
  inputs: {
    model: input(ONNX_MODEL),
    output: widget(z.string().default(""), { tooltip: "Name of the output; empty = the first" }),
    read: widget(z.enum(READ).default("mean"), { tooltip: "What of that output is the reward" }),
    element: widget(z.number().int().min(0).default(0), { tooltip: "Which number, for element and probability" }),
    maximize: widget(z.boolean().default(true)),
    size: widget(z.number().int().min(0).max(4096).default(0), { tooltip: "Side of the model's picture; 0 = what the file says, or 224" }),
    mean: widget(z.string().default("0.48145466, 0.4578275, 0.40821073"), { tooltip: "Mean of colours in 0..1; CLIP's by default" }),
    std: widget(z.string().default("0.26862954, 0.26130258, 0.27577711")),
    color: widget(z.enum(["RGB", "BGR"]).default("RGB")),
  },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
});
