import { type RandomSource, randomSource } from "../../../engine/base/random.ts";

/** A generator that depends only on these numbers: a resumed run draws what the uninterrupted one would have. */
export function streamOf(seed: number | bigint, ...path: readonly number[]): RandomSource {
  let state = BigInt.asUintN(64, BigInt(seed));
  for (const p of path) state = randomSource(state ^ (BigInt(p + 1) * 0xd1342543de82ef95n)).state;
  return randomSource(state);
}

/** Index of the n-th example drawn: each epoch visits every example once, in an order shuffled by (seed, epoch). */
export function exampleAt(seed: number | bigint, size: number, n: number): number {
  const epoch = Math.floor(n / size);
  const rng = streamOf(seed, 7, epoch);
  const order = Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    const a = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = a;
  }
  return order[n % size] ?? 0;
}
