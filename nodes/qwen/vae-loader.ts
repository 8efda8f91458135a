import { implementNode } from "../../engine/node/define-node.ts";
import { loadVae } from "./vae/load-vae.ts";
import declaration from "./vae-loader.node.ts";

export default implementNode(declaration, {
  async run({ vae_name }, ctx) {
    return { VAE: await loadVae(await ctx.models.open("vae", vae_name)) };
  },
});
