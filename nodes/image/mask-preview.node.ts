import { declareNode, input } from "../../engine/node/define-node.ts";
import { MASK } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "MaskPreview",
  version: "1.0.0",
  category: "mask",
  summary: "Shows masks; nothing is kept.",
  inputs: { mask: input(MASK) },
  outputs: { mask: MASK },
  cache: "never",
  isOutput: true,
  passes: () => "mask",
});
