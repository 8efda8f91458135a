import type { Comparison } from "../../shared/contracts/data.ts";

/** Where faces are points, so that those of one person lie within a distance: means and sums of points have a meaning. */
export interface FaceSpace {
  /** Largest squared distance of two faces of one person; below 0 where no two are. */
  readonly limit: number;
  point(vector: readonly number[]): Float64Array;
}

/** Of unit vectors, |a − b|² = 2 − 2·cosine: one rule for encoders compared by distance and by cosine. */
export function faceSpace({ kind, threshold, mean }: Comparison): FaceSpace {
  // No distance is below 0.
  if (kind === "l2") return { limit: threshold < 0 ? -1 : threshold ** 2, point: (vector) => Float64Array.from(vector) };
  return {
    limit: 2 - 2 * threshold,
    point(vector) {
      const centred = Float64Array.from(vector, (x, k) => x - (mean?.[k] ?? 0));
      const length = Math.sqrt(centred.reduce((sum, x) => sum + x * x, 0));
      return length > 0 ? centred.map((x) => x / length) : centred;
    },
  };
}

export function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += ((a[k] ?? 0) - (b[k] ?? 0)) ** 2;
  return sum;
}
