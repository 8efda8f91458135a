import { declareNode, input } from "../../engine/node/define-node.ts";
import { CONDITIONING, GUIDER, MODEL } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "BasicGuider",
  version: "1.0.0",
  category: "sampling/custom_sampling/guiders",
  summary: "A model with one prompt, without guidance.",
  inputs: { model: input(MODEL), conditioning: input(CONDITIONING) },
  outputs: { GUIDER },
  cache: "pure",
  isCheap: true,
});
