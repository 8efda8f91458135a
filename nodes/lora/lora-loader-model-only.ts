import { implementNode } from "../../engine/node/define-node.ts";
import { loadLora } from "./load-lora.ts";
import declaration from "./lora-loader-model-only.node.ts";

export default implementNode(declaration, {
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
