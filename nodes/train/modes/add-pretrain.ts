import { globalNorm } from "../../../engine/nn/adamw.ts";
import type { MicroResult } from "../loop/train-loop.ts";
import type { GradientSum, Situation } from "../objective.ts";
import { pretrainLoss } from "./pretrain-loss.ts";

/**
 * Ends an example whose reward gradients are in `sum`: adds λ times the flow-matching loss. Logs the norms of both parts
 * (`grad_norm.reward`, `grad_norm.pretrain`), before averaging and clipping, which shows which of them dominates the update.
 */
export async function addPretrain(s: Situation, sum: GradientSum, logs: Record<string, number>): Promise<MicroResult> {
  if (sum.grads.size > 0) logs["grad_norm.reward"] = globalNorm(sum.grads);
  if (s.options.lambda > 0) {
    const pretrain = await pretrainLoss(s);
    sum.add(pretrain.grads);
    logs.loss_pretrain = pretrain.mse;
    logs["grad_norm.pretrain"] = globalNorm(pretrain.grads);
  }
  return { grads: sum.grads.size > 0 ? sum.grads : null, logs };
}
