import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./lora-loader.node.ts";
import { putLora } from "./put-lora.ts";

export default implementNode(declaration, {
  run: async ({ model, clip, lora_name, strength_model }, ctx) => ({
    MODEL: await putLora(ctx, model, lora_name, strength_model),
    CLIP: clip,
  }),
});
