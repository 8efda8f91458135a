import { declareNode, input } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "PreviewImage",
  version: "1.1.0",
  category: "image",
  summary: "Shows the pictures; nothing is kept.",
  inputs: { images: input(IMAGE) },
  outputs: { images: IMAGE },
  cache: "never",
  isOutput: true,
  passes: () => "images",
});
