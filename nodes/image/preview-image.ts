import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./preview-image.node.ts";
import { savePictures } from "./save-pictures.ts";

export default implementNode(declaration, {
  async run({ images }, ctx) {
    await savePictures(ctx, images, `preview/node-${ctx.nodeId.replace(/[^\w-]/g, "_")}`, "temp");
    return { images };
  },
});
