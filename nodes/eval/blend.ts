import { implementNode } from "../../engine/node/define-node.ts";
import { blend } from "../shared/metrics/blend.ts";
import declaration from "./blend.node.ts";

export default implementNode(declaration, {
  run({ matches }, ctx) {
    const m_bld = blend(matches);
    if (m_bld === undefined) return { METRICS: { values: {} } };
    ctx.score("m_bld", m_bld);
    return { METRICS: { values: { m_bld }, details: { encoder: matches.similarity.references.encoder } } };
  },
});
