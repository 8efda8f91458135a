import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { Reward } from "../shared/contracts/modules.ts";
import { combineRewards, isReward } from "./combine-rewards.ts";
import declaration, { NOT_NUMBERS, parseWeights } from "./weighted-sum-reward.node.ts";

const NEEDS = { floor: "none", skip: "all", zero: "any" } as const;

export interface Missing {
  readonly missing: "floor" | "skip" | "zero";
  readonly floor: number;
}

/** Σ wᵢ·Rᵢ. A reward that has nothing to say counts as the worst (|w|·floor), leaves the picture out, or counts as nothing. */
export function weightedSumReward(rewards: readonly Reward[], weights: readonly number[], { missing, floor }: Missing): Reward {
  const worth = (weight: number) => (missing === "floor" ? Math.abs(weight) * floor : 0);
  return combineRewards({
    id: `sum:${missing}:${floor}(${rewards.map((r, i) => `${weights[i]}*${r.id}`).join("+")})`,
    name: "sum",
    children: rewards,
    needs: NEEDS[missing],
    combine: (b, values) => {
      const terms = values.map((v, i) => (v ? b.mul(v, weights[i] ?? 0) : b.scalar(worth(weights[i] ?? 0))));
      return { reward: terms.reduce((sum, t) => b.add(sum, t), b.scalar(0)), parts: {} };
    },
  });
}

export default implementNode(declaration, {
  run({ reward_1, weights, missing, floor }, _ctx, extra) {
    const more = Object.entries(extra)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [c]) => Number(a.slice(7)) - Number(c.slice(7)))
      .map(([name, value]) => {
        if (!isReward(value)) throw new AppError("REWARD_INPUT", `input ${name} carries no reward`);
        return value;
      });
    const rewards = [reward_1, ...more];
    const numbers = parseWeights(weights);
    if (!numbers) throw new AppError("REWARD_WEIGHTS", NOT_NUMBERS);
    if (numbers.length !== rewards.length)
      throw new AppError("REWARD_WEIGHTS", `there are ${rewards.length} rewards but ${numbers.length} weights`, {
        hint: `write ${rewards.length} numbers with commas between`,
      });
    return { REWARD: weightedSumReward(rewards, numbers, { missing, floor }) };
  },
});
