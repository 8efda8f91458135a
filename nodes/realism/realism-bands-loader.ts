import { sha256 } from "../../engine/base/hash.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./realism-bands-loader.node.ts";
import { parseBands } from "./statistics/bands.ts";

export default implementNode(declaration, {
  async run({ bands_name }, ctx) {
    const { bytes } = await ctx.models.bytes("realism", bands_name);
    return { bands: { id: `bands:${sha256(bytes)}`, ...parseBands(bytes, bands_name) } };
  },
});
