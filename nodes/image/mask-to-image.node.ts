import { declareNode, input } from "../../engine/node/define-node.ts";
import { IMAGE, MASK } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "MaskToImage",
  version: "1.0.0",
  category: "mask",
  summary: "Masks as grey pictures.",
  inputs: { mask: input(MASK) },
  outputs: { IMAGE },
  cache: "pure",
});
