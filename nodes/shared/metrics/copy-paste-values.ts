import { AppError } from "../../../engine/base/errors.ts";
import type { Embeddings, Matches } from "../contracts/data.ts";
import { similarityOf } from "../matching/similarity.ts";

/**
 * M_CP of WithAnyone (arXiv 2510.14975) of each matched person: (θ(g,t) − θ(g,r)) / max(θ(t,r), 1e-6) with θ = arccos of the cosine; g generated,
 * t target (ground truth), r reference. 1 = a copy of the reference, −1 = a copy of the target. Angles obey the
 * triangle inequality, so only a target equal to its reference can leave −1..1; that is clipped.
 * @param target row k shows the person of reference k.
 * @throws AppError METRIC_TARGET, MATCH_ENCODERS
 */
export function copyPasteValues(matches: Matches, target: Embeddings): { readonly reference: number; readonly value: number }[] {
  const { similarity } = matches;
  const [m = 0, n = 0] = similarity.values.shape;
  const rows = target.vectors.shape[0] ?? 0;
  if (rows !== m)
    throw new AppError("METRIC_TARGET", `target has ${rows} faces, but there are ${m} references`, {
      hint: "row k of target must show the person of reference k",
    });
  const toTarget = similarityOf(target, similarity.generated).values.data;
  const between = similarityOf(target, similarity.references).values.data;
  return matches.pairs.map(({ reference: k, generated: j }) => {
    const angle = (cosine: number | undefined) => Math.acos(cosine ?? 0);
    const gap = angle(toTarget[k * n + j]) - angle(similarity.values.data[k * n + j]);
    return { reference: k, value: Math.min(1, Math.max(-1, gap / Math.max(angle(between[k * m + k]), 1e-6))) };
  });
}
