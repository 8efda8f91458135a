import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./save-image-advanced.node.ts";
import { savePictures } from "./save-pictures.ts";

export default implementNode(declaration, {
  async run({ images, filename_prefix }, ctx) {
    await savePictures(ctx, images, filename_prefix, "output");
    return { images };
  },
});
