import { area, type Box, longSide } from "./box.ts";

/** What the caller of a detector wants. */
export interface FaceSelection {
  /** Smallest confidence, 0..1. */
  readonly minScore?: number;
  /** At most this many faces, the largest first; 0 or absent = all. */
  readonly maxFaces?: number;
  /** Smallest longer side of a box, in pixels. */
  readonly minSize?: number;
}

/** Keeps the wanted faces; of more than `maxFaces`, the largest (ties: higher score, then earlier). Order is kept. */
export function selectFaces<T extends { readonly box: Box; readonly score: number }>(found: readonly T[], options: FaceSelection): T[] {
  const wanted = found.filter((f) => f.score >= (options.minScore ?? 0) && longSide(f.box) >= (options.minSize ?? 0));
  const limit = options.maxFaces ?? 0;
  if (limit <= 0 || wanted.length <= limit) return wanted;
  const largest = new Set([...wanted].sort((p, q) => area(q.box) - area(p.box) || q.score - p.score).slice(0, limit));
  return wanted.filter((f) => largest.has(f));
}

/** Reading order: left to right by box centre, then top to bottom, then by falling score; equal ones keep their order. */
export function sortFaces<T extends { readonly box: Box; readonly score: number }>(faces: readonly T[]): T[] {
  return [...faces].sort(
    (p, q) => p.box[0] + p.box[2] - q.box[0] - q.box[2] || p.box[1] + p.box[3] - q.box[1] - q.box[3] || q.score - p.score,
  );
}
