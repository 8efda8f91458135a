import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./clip-text-encode.node.ts";

export default implementNode(declaration, {
  async run({ text, clip }, ctx) {
    const states = await clip.encode(ctx.compute, { template: "t2i", prompt: text, images: [], resample: "comfyui" });
    return { CONDITIONING: { ...states, referenceLatents: [] } };
  },
});
