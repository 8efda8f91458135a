import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { REWARD } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "HingeReward",
  version: "1.0.0",
  category: "rewards/combine",
  summary: "-relu(R0 - R), or its square: a guardrail that costs only while the reward is below what it should keep.",
  inputs: {
    reward: input(REWARD),
    floor: widget(z.number().default(0.5), {
      tooltip: "R0: the value to keep, for example that of the model before this training.",
      step: 0.05,
    }),
    power: widget(z.enum(["1", "2"]).default("1"), { tooltip: "2 = squared: gentle near the floor." }),
  },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
});
