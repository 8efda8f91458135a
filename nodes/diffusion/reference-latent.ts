import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./reference-latent.node.ts";

export default implementNode(declaration, {
  run: ({ conditioning, latent }) => ({
    CONDITIONING: latent ? { ...conditioning, referenceLatents: [...conditioning.referenceLatents, latent] } : conditioning,
  }),
});
