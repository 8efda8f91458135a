import { declareNode, input } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "ImageInvert",
  version: "1.0.0",
  category: "image",
  summary: "The negative: 1 − x.",
  inputs: { image: input(IMAGE) },
  outputs: { IMAGE },
  cache: "pure",
});
