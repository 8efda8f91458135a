import { implementNode } from "../../engine/node/define-node.ts";
import { maskImage } from "./mask-image.ts";
import declaration from "./mask-preview.node.ts";
import { savePictures } from "./save-pictures.ts";

export default implementNode(declaration, {
  async run({ mask }, ctx) {
    await savePictures(ctx, maskImage(mask), `preview/node-${ctx.nodeId.replace(/[^\w-]/g, "_")}`, "temp");
    return { mask };
  },
});
