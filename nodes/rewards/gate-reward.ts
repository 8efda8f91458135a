import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { defineNode, input, widget } from "../../engine/node/define-node.ts";
import type { Reward } from "../shared/contracts/modules.ts";
import { REWARD } from "../shared/contracts/sockets.ts";
import { combineRewards } from "./combine-rewards.ts";

/**
 * The reward where gate ≥ τ, else 0 without a gradient. No gradient flows into the gate. Skipped when either has nothing to say.
 */
export function gateReward(reward: Reward, gate: Reward, tau: number): Reward {
  return combineRewards({
    id: `gate:${tau}(${reward.id},${gate.id})`,
    name: `gated_${reward.name}`,
    children: [reward, gate],
    needs: "all",
    combine: (b, [value, condition]) => {
      if (!value || !condition) throw new AppError("REWARD_STRUCTURE", "a gate was built without its rewards");
      const open = b.one("GreaterOrEqual", [condition, b.scalar(tau, condition.dtype)]);
      return { reward: b.where(open, value, 0), parts: { open: b.cast(open, "float32") } };
    },
  });
}

export default defineNode({
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
  run: ({ reward, gate, tau }) => ({ REWARD: gateReward(reward, gate, tau) }),
});
