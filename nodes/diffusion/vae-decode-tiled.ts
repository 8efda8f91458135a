import { implementNode } from "../../engine/node/define-node.ts";
import { decodeLatents } from "./vae/decode-latents.ts";
import { tiledDecode } from "./vae/tiled-decode.ts";
import declaration from "./vae-decode-tiled.node.ts";

export default implementNode(declaration, {
  async run({ samples, vae, tile_size, overlap }, ctx) {
    const size = Math.max(1, Math.floor(tile_size / vae.cell));
    const stride = Math.max(1, size - Math.floor(overlap / vae.cell));
    const decode = tiledDecode(ctx.compute, vae, samples.samples.shape.slice(1), { size, stride });
    return { IMAGE: await decodeLatents(ctx.compute, vae, samples, decode) };
  },
});
