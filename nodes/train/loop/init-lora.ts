// Training that starts from a LoRA: keeping on training it, or training a new one on top of it.
import { createHash } from "node:crypto";
import { AppError } from "../../../engine/base/errors.ts";
import { bytesOfTensor } from "../../../engine/tensor/tensor.ts";
import type { Adapter, DiffusionModel, Lora } from "../../shared/contracts/modules.ts";

/** Identity by content: the same numbers under another name or date are the same LoRA. */
export function loraId({ adapters }: Lora): string {
  const hash = createHash("sha256");
  for (const { target, a, b, scale, outer, bias, dora } of [...adapters].sort((x, y) => (x.target < y.target ? -1 : 1))) {
    hash.update(JSON.stringify([target, a.shape, b.shape, scale, outer?.values.shape ?? null, bias?.scale ?? null, dora?.norm ?? null]));
    for (const t of [a, b, outer?.values, bias?.values, dora?.values]) if (t) hash.update(bytesOfTensor(t));
  }
  return `lora:${hash.digest("hex").slice(0, 32)}`;
}

/** Highest rank of the LoRA's layers, and the alpha of that layer. */
export function rankAndAlpha({ adapters }: Pick<Lora, "adapters">): { readonly rank: number; readonly alpha: number } {
  let [rank, alpha] = [0, 0];
  for (const { a, scale } of adapters) {
    const own = a.shape[0] ?? 1;
    if (own > rank) [rank, alpha] = [own, own * scale];
  }
  return { rank, alpha: Number(alpha.toPrecision(7)) };
}

/**
 * The LoRA's layers as adapters to train, with its numbers, ranks and scales.
 * @throws AppError TRAIN_INIT_LORA when the model carries the LoRA already, or a layer is no plain low-rank product
 */
export function continuedAdapters(model: DiffusionModel, lora: Lora): readonly Adapter[] {
  const there = new Set(model.adapters.map((x) => x.nameA));
  const twice = lora.adapters.find((x) => there.has(x.nameA));
  if (twice)
    throw new AppError("TRAIN_INIT_LORA", "the model carries the LoRA of init_lora already: it would count twice", {
      hint: "connect the model without it",
    });
  const odd = lora.adapters.find((x) => x.outer || x.bias || x.dora);
  if (odd)
    throw new AppError(
      "TRAIN_INIT_LORA",
      `${odd.target} of init_lora is ${odd.outer ? "a LoKr" : odd.dora ? "DoRA" : "a layer with a bias"}: it cannot be trained on as a LoRA`,
      { hint: "set init_lora_as to base: a new LoRA is then trained on top of it" },
    );
  const dead = lora.adapters.filter(({ a, b }) => isZero(a.data) && isZero(b.data));
  if (dead.length > 0)
    throw new AppError(
      "TRAIN_INIT_LORA",
      `both factors of ${dead[0]?.target} are 0${dead.length > 1 ? ` (and of ${dead.length - 1} more)` : ""}: no gradient ever reaches them`,
      { hint: "set init_lora_as to base, or start without it" },
    );
  return lora.adapters.map(({ target, a, b, scale }) => ({
    target,
    nameA: `train.${target}.lora_A`,
    nameB: `train.${target}.lora_B`,
    a,
    b,
    scale,
  }));
}

function isZero(data: Float32Array): boolean {
  return data.every((x) => x === 0);
}
