import { defineNode, input } from "../../engine/node/define-node.ts";
import { EMBEDDINGS, MATCHES, METRICS } from "../shared/contracts/sockets.ts";
import { copyPaste } from "../shared/metrics/copy-paste.ts";

export default defineNode({
  type: "CopyPaste",
  version: "1.0.0",
  category: "evaluate",
  summary: "M_CP: 1 = faces are copies of the references, -1 = they look like the true picture instead.",
  inputs: { matches: input(MATCHES), target: input(EMBEDDINGS, "The true picture's faces: row k shows the person of reference k.") },
  outputs: { METRICS },
  cache: "pure",
  run({ matches, target }, ctx) {
    const people = copyPaste(matches, target);
    if (people.length === 0) return { METRICS: { values: {}, details: { people } } };
    const m_cp = people.reduce((sum, p) => sum + p.value, 0) / people.length;
    ctx.score("m_cp", m_cp);
    return { METRICS: { values: { m_cp }, details: { people, encoder: target.encoder } } };
  },
});
