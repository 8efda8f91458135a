import { declareNode, input } from "../../engine/node/define-node.ts";
import { IMAGE, INT } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "GetImageSize",
  version: "1.0.0",
  category: "image",
  summary: "Width, height and number of the pictures.",
  inputs: { image: input(IMAGE) },
  outputs: { width: INT, height: INT, batch_size: INT },
  cache: "pure",
});
