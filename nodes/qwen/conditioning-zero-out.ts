import { defineNode, input } from "../../engine/node/define-node.ts";
import { zerosTensor } from "../../engine/tensor/tensor.ts";
import { CONDITIONING } from "../shared/contracts/sockets.ts";

export default defineNode({
  type: "ConditioningZeroOut",
  version: "1.0.0",
  category: "advanced/conditioning",
  summary: "Replaces the prompt's states by zeros; its reference pictures stay.",
  inputs: { conditioning: input(CONDITIONING) },
  outputs: { CONDITIONING },
  cache: "pure",
  run: ({ conditioning }) => ({ CONDITIONING: { ...conditioning, embeds: zerosTensor("float32", conditioning.embeds.shape) } }),
});
