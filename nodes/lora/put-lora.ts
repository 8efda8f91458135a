import type { NodeContext } from "../../engine/node/context.ts";
import type { DiffusionModel } from "../shared/contracts/modules.ts";
import { loadLora } from "./load-lora.ts";

/** The model with a LoRA of the loras folder on it, and a warning about tensors of the file that belong to no layer of it; at strength 0, the model itself. */
export async function putLora(
  ctx: Pick<NodeContext, "models" | "log">,
  model: DiffusionModel,
  name: string,
  strength: number,
): Promise<DiffusionModel> {
  if (strength === 0) return model;
  const { adapters, unmatched } = await loadLora(await ctx.models.open("loras", name), model.linears, strength);
  if (unmatched.length)
    ctx.log(
      "warn",
      `${name}: ${unmatched.length} tensors belong to no layer of this model and were left out: ${unmatched.slice(0, 5).join(", ")}`,
    );
  return model.withAdapters(adapters);
}
