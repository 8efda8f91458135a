import { defineNode, input } from "../../engine/node/define-node.ts";
import { MATCHES, type Matches, METRICS } from "../shared/sockets.ts";

/**
 * M_Bld of WithAnyone (arXiv 2510.14975): mean of cos(g_i, t_j) over i ≠ j, g_i the face matched to person i: how much everyone looks
 * like everyone else. Lower is better. In the paper t are the faces of the true picture: match against those for its numbers.
 * Undefined for fewer than two people, or none matched.
 */
export function blend(matches: Matches): number | undefined {
  const [m = 0, n = 0] = matches.similarity.values.shape;
  let sum = 0;
  for (const { reference, generated } of matches.pairs)
    for (let j = 0; j < m; j++) if (j !== reference) sum += matches.similarity.values.data[j * n + generated] ?? 0;
  const cells = matches.pairs.length * (m - 1);
  return cells > 0 ? sum / cells : undefined;
}

export default defineNode({
  type: "Blend",
  version: "1.0.0",
  category: "evaluate",
  summary: "M_Bld: how much each face looks like the other people. Lower is better.",
  inputs: { matches: input(MATCHES, "Of the generated faces with the true picture's faces (the paper's form) or with the references.") },
  outputs: { METRICS },
  cache: "pure",
  run({ matches }, ctx) {
    const m_bld = blend(matches);
    if (m_bld === undefined) return { METRICS: { values: {} } };
    ctx.score("m_bld", m_bld);
    return { METRICS: { values: { m_bld }, details: { encoder: matches.similarity.references.encoder } } };
  },
});
