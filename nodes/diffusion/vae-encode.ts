import { implementNode } from "../../engine/node/define-node.ts";
import { encodeImages } from "../shared/diffusion/encode-images.ts";
import declaration from "./vae-encode.node.ts";

export default implementNode(declaration, {
  async run({ pixels, vae }, ctx) {
    return { LATENT: await encodeImages(ctx.compute, vae, pixels) };
  },
});
