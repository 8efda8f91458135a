import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { LORA, MODEL } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "LoraFromFile",
  version: "1.0.0",
  category: "lora",
  summary: "A LoRA by itself, of any naming: to train on, or to save in another format.",
  inputs: {
    model: input(MODEL, "Whose layers it is for; it is not put on"),
    lora_name: widget(z.string().min(1), {
      tooltip: "A .safetensors file below the loras model folder.",
      file: { kind: "model", folder: "loras" },
    }),
  },
  outputs: { lora: LORA },
  cache: "pure",
});
