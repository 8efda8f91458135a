import { declareNode, input } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "ImageBatch",
  version: "1.0.0",
  category: "image",
  summary: "Puts two batches one after the other; the second is brought to the size of the first.",
  inputs: { image1: input(IMAGE), image2: input(IMAGE) },
  outputs: { IMAGE },
  cache: "pure",
});
