// LoRA adapters to train: which Linears, how they start.
import { AppError } from "../../../engine/base/errors.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Adapter, DiffusionModel } from "../../shared/contracts/modules.ts";
import { streamOf } from "./data-order.ts";

/** Linears whose path is, or ends with, one of these names, with their [out, in]. */
export function targetedLinears(
  model: Pick<DiffusionModel, "linears">,
  targets: readonly string[],
): readonly (readonly [path: string, size: readonly [out: number, in_: number]])[] {
  return [...model.linears].filter(([path]) => targets.some((t) => path === t || path.endsWith(`.${t}`)));
}

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
  const chosen = targetedLinears(model, targets);
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

/** √Σ ‖scale·B·A‖²: how far the adapters have moved the model. By the trace of (Bᵀ·B)(A·Aᵀ): B·A is never made. */
export async function loraNorm(compute: Compute, adapters: readonly Adapter[], params: ReadonlyMap<string, Float32Array>): Promise<number> {
  let sum = 0;
  for (const { a, b, nameA, nameB, scale } of adapters) {
    const g = newBuilder();
    const [x, y] = [g.input("a", "float32", a.shape), g.input("b", "float32", b.shape)];
    const product = g.mul(g.gemm(x, x, null, { transB: true }), g.gemm(y, y, null, { transA: true }));
    const feeds = { a: f32(a.shape, params.get(nameA) ?? a.data), b: f32(b.shape, params.get(nameB) ?? b.data) };
    const { square } = await compute.run(g.graph({ square: g.sum(product, [], false) }), feeds);
    sum += scale * scale * Math.max(0, Number(square?.data[0] ?? 0));
  }
  return Math.sqrt(sum);
}
