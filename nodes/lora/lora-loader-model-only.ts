import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./lora-loader-model-only.node.ts";
import { putLora } from "./put-lora.ts";

export default implementNode(declaration, {
  run: async ({ model, lora_name, strength_model }, ctx) => ({ MODEL: await putLora(ctx, model, lora_name, strength_model) }),
});
