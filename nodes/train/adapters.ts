// LoRA adapters to train: which Linears, how they start.
import { AppError } from "../../engine/base/errors.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Adapter, DiffusionModel } from "../shared/modules.ts";
import { streamOf } from "./data-order.ts";

/** The attention projections of both streams: the targets of UMO and of most public Qwen-Image-Edit LoRAs. */
export const ATTENTION_TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"] as const;

/**
 * New adapters on every Linear whose path ends with one of `targets`. A ~ U(±1/√in) (kaiming-uniform with a = √5, as PEFT
 * starts it), B = 0: the model is unchanged before the first update.
 * @param alpha scale is alpha/rank. @throws AppError LORA_TARGETS when nothing matches, LORA_RANK when rank exceeds a Linear.
 */
export function newAdapters(
  model: DiffusionModel,
  targets: readonly string[],
  rank: number,
  alpha: number,
  seed: number | bigint,
): readonly Adapter[] {
  const chosen = [...model.linears].filter(([path]) => targets.some((t) => path === t || path.endsWith(`.${t}`)));
  if (chosen.length === 0)
    throw new AppError("LORA_TARGETS", `no Linear of the model ends with any of: ${targets.join(", ")}`, {
      hint: `the model has for example ${[...model.linears.keys()].slice(0, 4).join(", ")}`,
    });
  return chosen.map(([target, [out, in_]], i) => {
    if (rank > Math.min(out, in_))
      throw new AppError("LORA_RANK", `rank ${rank} exceeds ${target} [${out}, ${in_}]`, {
        hint: `choose a rank of at most ${Math.min(out, in_)}`,
      });
    const rng = streamOf(seed, 1, i);
    const bound = 1 / Math.sqrt(in_);
    const a = Float32Array.from({ length: rank * in_ }, () => (2 * rng.uniform() - 1) * bound);
    return {
      target,
      nameA: `train.${target}.lora_A`,
      nameB: `train.${target}.lora_B`,
      a: f32([rank, in_], a),
      b: f32([out, rank], new Float32Array(out * rank)),
      scale: alpha / rank,
    };
  });
}
