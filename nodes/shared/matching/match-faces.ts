import type { Matches, Similarity } from "../contracts/data.ts";
import { assignmentMargin, hungarian } from "./hungarian.ts";
import { accepts } from "./similarity.ts";

export interface MatchOptions {
  /** A pair is accepted when it passes; in the units of the encoder's comparison (an L2 distance, or a cosine). */
  readonly threshold: number;
  /** Pairs that fail the threshold are forbidden before the assignment, instead of being marked after it. */
  readonly gate: boolean;
  /** μ of the cost −e + μ·d; d as `layoutDistances` gives it, [M, N]. */
  readonly layout?: { readonly weight: number; readonly distances: Float64Array };
}

/**
 * The assignment with the least total cost −similarity (+ μ·distance from the intended place). Deterministic. Every pair of
 * the assignment is listed, so min(M, N) of them unless `gate` forbids some.
 * @returns the matches, and how much more the best other assignment costs (Infinity when there is none).
 * @throws AppError MATCH_COST_NAN
 */
export function matchFaces(similarity: Similarity, options: MatchOptions): { readonly matches: Matches; readonly margin: number } {
  const [m = 0, n = 0] = similarity.values.shape;
  const { layout, threshold, gate } = options;
  const costs = Float64Array.from(similarity.values.data, (e, at) => {
    if (gate && !accepts(similarity, Math.floor(at / n), at % n, threshold)) return Number.POSITIVE_INFINITY;
    return -e + (layout ? layout.weight * (layout.distances[at] ?? 0) : 0);
  });
  const assignment = hungarian(costs, m, n);
  const pairs = assignment.pairs.map(({ row, column }) => ({
    reference: row,
    generated: column,
    similarity: similarity.values.data[row * n + column] ?? 0,
    cost: costs[row * n + column] ?? 0,
    accepted: accepts(similarity, row, column, threshold),
  }));
  const free = (count: number, taken: readonly number[]) => Array.from({ length: count }, (_, i) => i).filter((i) => !taken.includes(i));
  return {
    matches: {
      similarity,
      pairs,
      unmatchedReferences: free(
        m,
        pairs.map((p) => p.reference),
      ),
      unmatchedGenerated: free(
        n,
        pairs.map((p) => p.generated),
      ),
    },
    margin: assignmentMargin(costs, m, n, assignment),
  };
}
