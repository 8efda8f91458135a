import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { REWARD } from "../shared/contracts/sockets.ts";

/** `1, -0.5` → numbers. Undefined when it is not a list of numbers. */
export function parseWeights(text: string): readonly number[] | undefined {
  const weights = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  return weights.every(Number.isFinite) ? weights : undefined;
}

export const NOT_NUMBERS = "weights must be numbers with commas between, such as 1, 0.5";

export default declareNode({
  type: "WeightedSumReward",
  version: "1.1.0",
  category: "rewards/combine",
  summary: "Adds rewards, each with its weight.",
  inputs: {
    reward_1: input(REWARD),
    weights: widget(z.string().min(1).max(500).default("1"), {
      tooltip: "One weight per connected reward, in order, with commas between.",
    }),
    missing: widget(z.enum(["floor", "skip", "zero"]).default("floor"), {
      tooltip:
        "What a reward is worth that has nothing to say about a picture (no face). floor: that value, so that losing a face never pays. skip: the picture is left out. zero: nothing, which pays where the reward was negative.",
    }),
    floor: widget(z.number().min(-1e6).max(1e6).default(-1), {
      tooltip: "Value of a missing reward, before its weight; for a negative weight, its opposite.",
      step: 0.1,
    }),
  },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
  variadic: { prefix: "reward_", socket: REWARD },
  check: ({ weights }) => (weights === undefined || parseWeights(weights) ? [] : [{ input: "weights", message: NOT_NUMBERS }]),
});
