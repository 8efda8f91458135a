import { implementNode } from "../../engine/node/define-node.ts";
import { decodeLatents } from "./vae/decode-latents.ts";
import declaration from "./vae-decode.node.ts";

export default implementNode(declaration, {
  async run({ samples, vae }, ctx) {
    return { IMAGE: await decodeLatents(ctx.compute, vae, samples) };
  },
});
