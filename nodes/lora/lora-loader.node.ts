import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { CLIP, MODEL } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "LoraLoader",
  version: "1.0.0",
  category: "loaders",
  summary: "Puts a LoRA on the model; the text encoder goes through as it is, because LoRAs of Qwen-Image change the model only.",
  inputs: {
    model: input(MODEL),
    clip: input(CLIP),
    lora_name: widget(z.string().min(1), {
      tooltip: "A .safetensors file below the loras model folder.",
      file: { kind: "model", folder: "loras" },
    }),
    strength_model: widget(z.number().min(-100).max(100).default(1), { step: 0.01, tooltip: "0 leaves the model as it is." }),
    strength_clip: widget(z.number().min(-100).max(100).default(1), {
      step: 0.01,
      tooltip: "Not used: tensors of a text encoder are left out, with a warning.",
    }),
  },
  outputs: { MODEL, CLIP },
  cache: "pure",
});
