import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { Reward } from "../shared/contracts/modules.ts";
import { combineRewards } from "./combine-rewards.ts";
import declaration from "./gate-reward.node.ts";

/**
 * The reward where gate ≥ τ, else 0 without a gradient. No gradient flows into the gate. Skipped when either of them is.
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

export default implementNode(declaration, {
  run: ({ reward, gate, tau }) => ({ REWARD: gateReward(reward, gate, tau) }),
});
