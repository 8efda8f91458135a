import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./image-compare.node.ts";
import { writePictures } from "./save-pictures.ts";

export default implementNode(declaration, {
  async run({ image_a, image_b }, ctx) {
    const node = ctx.nodeId.replace(/[^\w-]/g, "_");
    const write = async (image: typeof image_a, side: string) =>
      image ? await writePictures(ctx, image, `preview/node-${node}-${side}`, "temp") : [];
    ctx.show({ a_images: await write(image_a, "a"), b_images: await write(image_b, "b") });
    return {};
  },
});
