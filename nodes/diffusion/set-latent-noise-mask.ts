import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./set-latent-noise-mask.node.ts";

export default implementNode(declaration, {
  run: ({ samples, mask }) => ({ LATENT: { ...samples, noiseMask: mask } }),
});
