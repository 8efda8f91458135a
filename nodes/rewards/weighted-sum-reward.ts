import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { defineNode, input, widget } from "../../engine/node/define-node.ts";
import type { Reward } from "../shared/contracts/modules.ts";
import { REWARD } from "../shared/contracts/sockets.ts";
import { combineRewards, isReward } from "./combine-rewards.ts";

/** Σ wᵢ·Rᵢ. A reward that has nothing to say about a picture adds 0. */
export function weightedSumReward(rewards: readonly Reward[], weights: readonly number[]): Reward {
  return combineRewards({
    id: `sum(${rewards.map((r, i) => `${weights[i]}*${r.id}`).join("+")})`,
    name: "sum",
    children: rewards,
    combine: (b, values) => {
      const terms = values.flatMap((v, i) => (v ? [b.mul(v, weights[i] ?? 0)] : []));
      return { reward: terms.reduce((sum, t) => b.add(sum, t), b.scalar(0)), parts: {} };
    },
  });
}

/** `1, -0.5` → numbers. Undefined when it is none. */
export function parseWeights(text: string): readonly number[] | undefined {
  const weights = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  return weights.every(Number.isFinite) ? weights : undefined;
}

const NOT_NUMBERS = "weights must be numbers with commas between, such as 1, 0.5";

export default defineNode({
  type: "WeightedSumReward",
  version: "1.0.0",
  category: "rewards/combine",
  summary: "Adds rewards, each with its weight.",
  inputs: {
    reward_1: input(REWARD),
    weights: widget(z.string().min(1).max(500).default("1"), {
      tooltip: "One weight per connected reward, in order, with commas between.",
    }),
  },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
  variadic: { prefix: "reward_", socket: REWARD },
  check: ({ weights }) => (weights === undefined || parseWeights(weights) ? [] : [{ input: "weights", message: NOT_NUMBERS }]),
  run({ reward_1, weights }, _ctx, extra) {
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
    return { REWARD: weightedSumReward(rewards, numbers) };
  },
});
