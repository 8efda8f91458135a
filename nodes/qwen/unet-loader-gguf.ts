import { implementNode } from "../../engine/node/define-node.ts";
import { openModel } from "./unet-loader.ts";
import declaration from "./unet-loader-gguf.node.ts";

export default implementNode(declaration, {
  run: async ({ unet_name }, ctx) => ({ MODEL: await openModel({ unet_name, weight_dtype: "default", pipeline: "auto" }, ctx) }),
});
