import type { TrainInputs } from "../train-options.ts";

type Settings = Pick<TrainInputs, "mode" | "steps" | "learning_rate" | "alpha" | "warmup" | "lambda" | "reward_weight">;

/** Settings with which a run learns nothing, or next to nothing: what happens, and what to change. */
export function settingsWarnings(i: Settings): readonly string[] {
  const found: string[] = [];
  if (i.learning_rate === 0) found.push("learning_rate is 0: nothing will be learned; set it above 0");
  if (i.alpha === 0) found.push("alpha is 0, so the LoRA's scale is 0: nothing will be learned; set alpha to the rank");
  const weights = [...(i.mode === "sft" ? [] : [i.reward_weight]), i.lambda];
  if (weights.every((w) => w === 0))
    found.push(
      i.mode === "sft"
        ? "lambda is 0: the loss has no weight and nothing will be learned; set lambda above 0"
        : "reward_weight and lambda are both 0: nothing will be learned; set one of them above 0",
    );
  else if (i.mode !== "sft" && i.reward_weight === 0)
    found.push("reward_weight is 0: the reward is only measured; set it above 0 to train on it");
  if (i.warmup >= i.steps)
    found.push(
      `warmup (${i.warmup}) is as long as the run (${i.steps} updates): learning_rate is never reached; set warmup to a tenth of steps`,
    );
  return found;
}
