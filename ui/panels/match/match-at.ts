// Who is who at another threshold: the node's own rule again, over the matrix it showed. Nothing runs.
import type { MatchShown } from "../../../engine/api/shown.ts";
import { hungarian } from "../../../nodes/shared/matching/hungarian.ts";

export interface Pair {
  readonly reference: number;
  readonly generated: number;
  readonly cosine: number;
  /** What the threshold is held against: a distance where the encoder compares by distance, else the cosine. */
  readonly value: number;
  readonly accepted: boolean;
}

export interface MatchAt {
  readonly threshold: number | null;
  readonly pairs: readonly Pair[];
  /** References without an accepted face. */
  readonly missing: readonly number[];
  /** Faces without an accepted reference. */
  readonly strangers: readonly number[];
}

/** @param threshold as in {@link MatchShown}; null accepts every pair */
export function matchAt(shown: MatchShown, threshold: number | null): MatchAt {
  const rows = shown.cosine.length;
  const columns = shown.generated.faces.length;
  const value = (i: number, j: number): number => (shown.distances ?? shown.cosine)[i]?.[j] ?? Number.NaN;
  const accepts = (i: number, j: number): boolean =>
    threshold === null || (shown.distances ? value(i, j) <= threshold : value(i, j) >= threshold);
  const costs = Float64Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    return shown.gate && !accepts(i, j) ? Number.POSITIVE_INFINITY : (shown.costs[i]?.[j] ?? 0);
  });
  const pairs = hungarian(costs, rows, columns).pairs.map(({ row, column }) => ({
    reference: row,
    generated: column,
    cosine: shown.cosine[row]?.[column] ?? 0,
    value: value(row, column),
    accepted: accepts(row, column),
  }));
  const good = pairs.filter((p) => p.accepted);
  const free = (count: number, taken: ReadonlySet<number>) => Array.from({ length: count }, (_, i) => i).filter((i) => !taken.has(i));
  return {
    threshold,
    pairs,
    missing: free(rows, new Set(good.map((p) => p.reference))),
    strangers: free(columns, new Set(good.map((p) => p.generated))),
  };
}

/** Where the threshold can be set: round numbers, wide enough for every cell and for what the node used. */
export function thresholdRange(shown: MatchShown): { readonly min: number; readonly max: number; readonly step: number } {
  const values = [...(shown.distances ?? shown.cosine).flat(), ...(shown.threshold === null ? [] : [shown.threshold])];
  if (!shown.distances) return { min: Math.min(0, Math.floor(Math.min(0, ...values) * 10) / 10), max: 1, step: 0.01 };
  return { min: 0, max: Math.max(1, Math.ceil(Math.max(0, ...values) * 10) / 10), step: 0.01 };
}
