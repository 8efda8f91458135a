// The multi-identity matching reward of UMO (arXiv 2509.06818, eq. 2-4) on a similarity matrix, as numbers and as a graph.
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";

export interface MimrOptions {
  /**
   * With e[k][j] the similarity of reference k and generated face j, M references, N faces:
   * - `umo`, exactly as released: 1/(M·N) · (λ1 · Σ matched e + λ2 · Σ unmatched e). Its ceiling is 1/max(M, N), a missing
   *   person costs nothing, and the gradient per person shrinks with their number: for parity with published scores.
   * - `balanced`: λ1/M · Σ matched e (a missing reference counts 0) + λ2 · mean of the unmatched cells. The ceiling is λ1 for
   *   any number of people, and whoever is missing costs their share.
   */
  readonly norm: "umo" | "balanced";
  /** Weight of matched pairs; the paper uses 1. */
  readonly lambda1: number;
  /** Weight of all other pairs; the paper uses −1. */
  readonly lambda2: number;
  /** Matched similarities above it earn nothing more: photographs of one person seldom exceed 0.65, copies do. 1 = no cap. */
  readonly cap: number;
  /** Unmatched similarities below 0 count as 0: strangers need not be pushed further apart than unrelated. */
  readonly clampNegative: boolean;
}

/** The form of the paper and of the released code. */
export const UMO_MIMR: MimrOptions = { norm: "umo", lambda1: 1, lambda2: -1, cap: 1, clampNegative: false };

/** R_SIR for any number of people: mean over references of the matched similarity. For one reference and one face it is eq. 2. */
export const SIR_AS_MIMR: MimrOptions = { norm: "balanced", lambda1: 1, lambda2: 0, cap: 1, clampNegative: false };

interface Pair {
  readonly reference: number;
  readonly generated: number;
}

/** Weight of every cell, row-major [M, N], split in matched and unmatched cells (0 in the other). */
export function mimrWeights(
  references: number,
  generated: number,
  pairs: readonly Pair[],
  options: MimrOptions,
): { readonly matched: Float64Array; readonly unmatched: Float64Array } {
  const cells = references * generated;
  const balanced = options.norm === "balanced";
  const others = balanced ? cells - pairs.length : cells;
  const matched = new Float64Array(cells);
  const unmatched = new Float64Array(cells).fill(others > 0 ? options.lambda2 / others : 0);
  for (const { reference, generated: column } of pairs) {
    const at = reference * generated + column;
    matched[at] = options.lambda1 / (balanced ? references : cells);
    unmatched[at] = 0;
  }
  return { matched, unmatched };
}

export interface MimrScore {
  readonly reward: number;
  /** The λ1 part and the λ2 part of the reward. */
  readonly matched: number;
  readonly unmatched: number;
  /** What each cell contributes, row-major [M, N]. */
  readonly cells: Float64Array;
}

/** The reward of an assignment. No faces or no references: 0. @param values similarities, row-major [references, generated]. */
export function mimr(
  values: ArrayLike<number>,
  references: number,
  generated: number,
  pairs: readonly Pair[],
  options: MimrOptions,
): MimrScore {
  const weights = mimrWeights(references, generated, pairs, options);
  const cells = new Float64Array(references * generated);
  let matched = 0;
  let unmatched = 0;
  for (let at = 0; at < cells.length; at++) {
    const e = values[at] ?? 0;
    const m = (weights.matched[at] ?? 0) * Math.min(e, options.cap);
    const u = (weights.unmatched[at] ?? 0) * (options.clampNegative ? Math.max(e, 0) : e);
    matched += m;
    unmatched += u;
    cells[at] = m + u;
  }
  return { reward: matched + unmatched, matched, unmatched, cells };
}

/** The same in the graph: similarities [M, K] with the weights of {@link mimrWeights} (0 in padded columns) as fed constants. */
export function buildMimr(
  b: Builder,
  similarity: Value,
  weights: { readonly matched: Value; readonly unmatched: Value },
  options: Pick<MimrOptions, "cap" | "clampNegative">,
): { readonly reward: Value; readonly matched: Value; readonly unmatched: Value } {
  const capped = options.cap < 1 ? b.min(similarity, options.cap) : similarity;
  const matched = b.sum(b.mul(weights.matched, capped), [], false);
  const unmatched = b.sum(b.mul(weights.unmatched, options.clampNegative ? b.relu(similarity) : similarity), [], false);
  return { reward: b.add(matched, unmatched), matched, unmatched };
}
