import type { Matches } from "../contracts/data.ts";

/**
 * M_Bld of WithAnyone (arXiv 2510.14975): mean of cos(g_i, t_j) over i ≠ j, g_i the face matched to person i: how much everyone looks
 * like everyone else. Lower is better. In the paper t are the faces of the true picture: match against those for its numbers.
 * Undefined for fewer than two people, or none matched.
 */
export function blendValue(matches: Matches): number | undefined {
  const [m = 0, n = 0] = matches.similarity.values.shape;
  let sum = 0;
  for (const { reference, generated } of matches.pairs)
    for (let j = 0; j < m; j++) if (j !== reference) sum += matches.similarity.values.data[j * n + generated] ?? 0;
  const cells = matches.pairs.length * (m - 1);
  return cells > 0 ? sum / cells : undefined;
}
