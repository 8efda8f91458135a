import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { REWARD } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "CapReward",
  version: "1.0.0",
  category: "rewards/combine",
  summary: "min(R, cap): nothing is earned, and no gradient flows, above a value that is good enough.",
  inputs: { reward: input(REWARD), cap: widget(z.number().default(0.6), { step: 0.05 }) },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
});
