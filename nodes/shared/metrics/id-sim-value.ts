import type { Similarity } from "../contracts/data.ts";
import { matchFaces } from "../matching/match-faces.ts";
import { mimr, SIR_AS_MIMR } from "../matching/mimr-value.ts";

/**
 * ID-Sim of XVerseBench (bytedance/XVerse, eval/tools/idip_face_score.py), in percent: per reference the best similarity with any
 * face, averaged. One clone can satisfy every reference, hence `matched`: the same over the Hungarian pairs, a missing face 0.
 */
export function idSimValue(similarity: Similarity): {
  readonly max: number;
  readonly matched: number;
  readonly perReference: readonly number[];
} {
  const [m = 0, n = 0] = similarity.values.shape;
  const perReference = Array.from({ length: m }, (_, k) =>
    n === 0 ? 0 : 100 * Math.max(...similarity.values.data.subarray(k * n, (k + 1) * n)),
  );
  const { matches } = matchFaces(similarity, { threshold: 0, gate: false });
  return {
    max: m === 0 ? 0 : perReference.reduce((a, c) => a + c, 0) / m,
    matched: 100 * mimr(similarity.values.data, m, n, matches.pairs, SIR_AS_MIMR).reward,
    perReference,
  };
}
