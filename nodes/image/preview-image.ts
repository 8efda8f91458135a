import { defineNode, input } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";
import { savePictures } from "./save-pictures.ts";

export default defineNode({
  type: "PreviewImage",
  version: "1.0.0",
  category: "image",
  summary: "Shows the pictures; nothing is kept.",
  inputs: { images: input(IMAGE) },
  outputs: {},
  cache: "never",
  isOutput: true,
  async run({ images }, ctx) {
    await savePictures(ctx, images, `preview/node-${ctx.nodeId.replace(/[^\w-]/g, "_")}`, "temp");
    return {};
  },
});
