import { declareNode, input } from "../../engine/node/define-node.ts";
import { CONDITIONING } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "ConditioningZeroOut",
  version: "1.0.0",
  category: "advanced/conditioning",
  summary: "Replaces the prompt's states by zeros; its reference pictures stay.",
  inputs: { conditioning: input(CONDITIONING) },
  outputs: { CONDITIONING },
  cache: "pure",
});
