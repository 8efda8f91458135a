import { implementNode } from "../../engine/node/define-node.ts";
import { scorerOfFile } from "../shared/realism/scorer-net.ts";
import declaration from "./realism-scorer-loader.node.ts";

export default implementNode(declaration, {
  run: async ({ scorer_name }, ctx) => ({ scorer: scorerOfFile(await ctx.models.open("realism", scorer_name)) }),
});
