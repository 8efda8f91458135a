import { z } from "zod";
import { LORA_DTYPES, LORA_FORMATS } from "../../engine/formats/lora-formats.ts";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { LORA, MODEL, VAE } from "../shared/contracts/sockets.ts";
import { outputName } from "../shared/output-name.ts";

export default declareNode({
  type: "SaveLoRA",
  version: "1.0.0",
  category: "lora",
  summary:
    "Saves a trained LoRA for ComfyUI, diffusers or kohya; with model and VAE connected, loads each file back and compares pictures.",
  inputs: {
    lora: input(LORA),
    model: optional(MODEL, "The model without this LoRA: loads each file back onto it and checks the picture"),
    vae: optional(VAE),
    prefix: widget(outputName("loras/whos-who")),
    format: widget(z.enum(["all", ...LORA_FORMATS]).default("all")),
    dtype: widget(z.enum(LORA_DTYPES).default("bfloat16")),
  },
  outputs: {},
  cache: "never",
  isOutput: true,
});
