import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { REWARD } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "GateReward",
  version: "1.0.0",
  category: "rewards/combine",
  summary: "Lets a reward count only for pictures on which another reward is at least tau.",
  inputs: {
    reward: input(REWARD),
    gate: input(REWARD),
    tau: widget(z.number().default(1), { tooltip: "1 with CountReward as the gate: only pictures with everybody in them.", step: 0.05 }),
  },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
});
