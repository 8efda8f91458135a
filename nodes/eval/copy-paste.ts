import { implementNode } from "../../engine/node/define-node.ts";
import { copyPasteValues } from "../shared/metrics/copy-paste-values.ts";
import declaration from "./copy-paste.node.ts";

export default implementNode(declaration, {
  run({ matches, target }, ctx) {
    const people = copyPasteValues(matches, target);
    if (people.length === 0) return { METRICS: { values: {}, details: { people } } };
    const m_cp = people.reduce((sum, p) => sum + p.value, 0) / people.length;
    ctx.score("m_cp", m_cp);
    return { METRICS: { values: { m_cp }, details: { people, encoder: target.encoder } } };
  },
});
