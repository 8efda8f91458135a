import { randomSource } from "../../../engine/base/random.ts";

export interface Interval {
  readonly mean: number;
  /** 2.5 % of the resampled means lie below. */
  readonly low: number;
  /** 2.5 % lie above. */
  readonly high: number;
}

/**
 * A mean with its 95 % interval by the percentile bootstrap (Efron, 1979). With several groups, such as the seeds of a training,
 * groups are drawn with replacement and then values within each: scenes of one training are not independent.
 * @param groups equal weight for every value; empty groups are left out
 * @returns undefined without any value
 * @throws RangeError for a value that is not finite: sorted, it would leave bounds that look right
 */
export function bootstrapMean(
  groups: readonly (readonly number[])[],
  { resamples = 2000, seed = 0 }: { readonly resamples?: number; readonly seed?: number } = {},
): Interval | undefined {
  const filled = groups.filter((group) => group.length > 0);
  const rng = randomSource(seed);
  if (filled.length === 0) return undefined;
  if (!filled.every((group) => group.every(Number.isFinite))) throw new RangeError("a value to be averaged is not finite");
  const means = Float64Array.from({ length: resamples }, () => {
    const drawn = filled.length > 1 ? filled.map(() => rng.below(filled.length)) : [0];
    let [sum, count] = [0, 0];
    for (const g of drawn) {
      const group = filled[g] ?? [];
      for (let k = 0; k < group.length; k++) sum += group[rng.below(group.length)] ?? 0;
      count += group.length;
    }
    return sum / count;
  }).sort();
  const at = (share: number) => means[Math.round(share * (resamples - 1))] ?? Number.NaN;
  return { mean: meanOf(filled), low: at(0.025), high: at(0.975) };
}

function meanOf(groups: readonly (readonly number[])[]): number {
  let [sum, count] = [0, 0];
  for (const group of groups) for (const value of group) [sum, count] = [sum + value, count + 1];
  return sum / count;
}
