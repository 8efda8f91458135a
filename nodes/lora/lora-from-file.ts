import { implementNode } from "../../engine/node/define-node.ts";
import { loadLora } from "./load-lora.ts";
import declaration from "./lora-from-file.node.ts";

export default implementNode(declaration, {
  async run({ model, lora_name }, ctx) {
    const file = await ctx.models.open("loras", lora_name);
    const { adapters, unmatched } = await loadLora(file, model.linears, 1);
    if (unmatched.length > 0)
      ctx.log(
        "warn",
        `${lora_name}: ${unmatched.length} tensors belong to no layer of this model and were left out: ${unmatched.slice(0, 5).join(", ")}`,
      );
    const rank = Math.max(...adapters.map(({ a }) => a.shape[0] ?? 1));
    const first = adapters.find(({ a }) => a.shape[0] === rank);
    return { lora: { adapters, rank, alpha: rank * (first?.scale ?? 1), about: file.metadata } };
  },
});
