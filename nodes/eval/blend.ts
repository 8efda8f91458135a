import { implementNode } from "../../engine/node/define-node.ts";
import { blendValue } from "../shared/metrics/blend-value.ts";
import declaration from "./blend.node.ts";

export default implementNode(declaration, {
  run({ matches }, ctx) {
    const m_bld = blendValue(matches);
    if (m_bld === undefined) return { METRICS: { values: {} } };
    ctx.score("m_bld", m_bld);
    return { METRICS: { values: { m_bld }, details: { encoder: matches.similarity.references.encoder } } };
  },
});
