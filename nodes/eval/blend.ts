import { defineNode, input } from "../../engine/node/define-node.ts";
import { MATCHES, METRICS } from "../shared/contracts/sockets.ts";
import { blend } from "../shared/metrics/blend.ts";

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
