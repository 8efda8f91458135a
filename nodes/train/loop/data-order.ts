import { AppError } from "../../../engine/base/errors.ts";
import { type RandomSource, randomSource } from "../../../engine/base/random.ts";
import type { Dataset } from "../../shared/contracts/data.ts";

/** A generator that depends only on these numbers: a resumed run draws what the uninterrupted one would have. */
export function streamOf(seed: number | bigint, ...path: readonly number[]): RandomSource {
  let state = BigInt.asUintN(64, BigInt(seed));
  for (const p of path) state = randomSource(state ^ (BigInt(p + 1) * 0xd1342543de82ef95n)).state;
  return randomSource(state);
}

/** Index of the n-th example drawn: each epoch visits every example once, in an order shuffled by (seed, epoch). */
export function exampleAt(seed: number | bigint, size: number, n: number): number {
  return exampleOrder(seed, size, Math.floor(n / size))[n % size] ?? 0;
}

function exampleOrder(seed: number | bigint, size: number, epoch: number): readonly number[] {
  return shuffled(size, streamOf(seed, 7, epoch));
}

function shuffled(size: number, rng: RandomSource): number[] {
  const order = Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    const a = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = a;
  }
  return order;
}

/**
 * Examples of update `step`, all of one bucket. Each epoch shuffles the examples, cuts every bucket into batches (what is left over
 * waits for another epoch) and shuffles the batches. Without buckets it is {@link exampleAt}, one after the other.
 * @throws AppError TRAIN_BATCH when no bucket fills a batch
 */
export function batchAt(
  seed: number | bigint,
  { train, bucket }: Pick<Dataset, "train" | "bucket">,
  step: number,
  batch: number,
): number[] {
  if (!bucket) return Array.from({ length: batch }, (_, k) => exampleAt(seed, train, step * batch + k));
  const sizes = new Map<string, number>();
  for (let i = 0; i < train; i++) sizes.set(bucket("train", i), (sizes.get(bucket("train", i)) ?? 0) + 1);
  const perEpoch = [...sizes.values()].reduce((n, size) => n + Math.floor(size / batch), 0);
  if (perEpoch === 0)
    throw new AppError("TRAIN_BATCH", `none of the ${sizes.size} picture sizes has ${batch} examples`, {
      hint: "lower batch, or add examples",
    });
  const epoch = Math.floor(step / perEpoch);
  const batches: number[][] = [];
  const filling = new Map<string, number[]>();
  for (const index of exampleOrder(seed, train, epoch)) {
    const key = bucket("train", index);
    const open = filling.get(key) ?? [];
    open.push(index);
    filling.set(key, open);
    if (open.length < batch) continue;
    batches.push(open);
    filling.delete(key);
  }
  const order = shuffled(batches.length, streamOf(seed, 8, epoch));
  return batches[order[step % perEpoch] ?? 0] ?? [];
}
