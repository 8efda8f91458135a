import { declareNode } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "BatchImagesNode",
  version: "1.0.0",
  category: "image",
  summary: "Any number of pictures as one batch, in the size of the first.",
  inputs: {},
  outputs: { IMAGE },
  cache: "pure",
  variadic: { prefix: "images.image", socket: IMAGE },
});
