import { declareNode, input } from "../../engine/node/define-node.ts";
import { MASK } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "InvertMask",
  version: "1.0.0",
  category: "mask",
  summary: "The other part of masks: 1 − x.",
  inputs: { mask: input(MASK) },
  outputs: { MASK },
  cache: "pure",
});
