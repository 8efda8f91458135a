import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { MODEL } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "LoraLoaderModelOnly",
  version: "1.0.0",
  category: "loaders",
  summary: "Puts a LoRA on the model, beside its weights: any number stack, at any strength.",
  inputs: {
    model: input(MODEL),
    lora_name: widget(z.string().min(1), {
      tooltip: "A .safetensors file below the loras model folder.",
      file: { kind: "model", folder: "loras" },
    }),
    strength_model: widget(z.number().min(-100).max(100).default(1), { step: 0.01, tooltip: "0 leaves the model as it is." }),
  },
  outputs: { MODEL },
  cache: "pure",
});
