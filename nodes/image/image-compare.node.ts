import { declareNode, optional } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "ImageCompare",
  version: "1.0.0",
  category: "image",
  summary: "Shows two pictures to be compared; nothing is kept.",
  inputs: { image_a: optional(IMAGE), image_b: optional(IMAGE) },
  outputs: {},
  cache: "never",
  isOutput: true,
});
