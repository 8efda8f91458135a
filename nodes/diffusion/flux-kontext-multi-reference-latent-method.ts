import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./flux-kontext-multi-reference-latent-method.node.ts";

export default implementNode(declaration, {
  run: ({ conditioning, reference_latents_method: method }) => ({
    CONDITIONING: { ...conditioning, referenceMethod: method === "uxo/uno" ? ("uxo" as const) : method },
  }),
});
