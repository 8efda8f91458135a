import { z } from "zod";
import { defineNode, input, widget } from "../../engine/node/define-node.ts";
import { MODEL } from "../shared/contracts/sockets.ts";
import { loadLora } from "./load-lora.ts";

export default defineNode({
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
  async run({ model, lora_name, strength_model }, ctx) {
    if (strength_model === 0) return { MODEL: model };
    const { adapters, unmatched } = await loadLora(await ctx.models.open("loras", lora_name), model.linears, strength_model);
    if (unmatched.length)
      ctx.log(
        "warn",
        `${lora_name}: ${unmatched.length} tensors mean no layer of this model and were left out: ${unmatched.slice(0, 5).join(", ")}`,
      );
    return { MODEL: model.withAdapters(adapters) };
  },
});
