import type { MicroResult } from "../loop/train-loop.ts";
import type { Situation } from "../objective.ts";
import { pretrainLoss } from "./pretrain-loss.ts";

/** Plain supervised fine-tuning: the flow-matching loss alone. */
export async function sft(s: Situation): Promise<MicroResult> {
  const { grads, mse } = await pretrainLoss(s);
  return { grads, logs: { loss_pretrain: mse } };
}
