import { implementNode } from "../../engine/node/define-node.ts";
import { idSimValue } from "../shared/metrics/id-sim-value.ts";
import declaration from "./id-sim.node.ts";

export default implementNode(declaration, {
  run({ similarity }, ctx) {
    const { max, matched, perReference } = idSimValue(similarity);
    const values = { id_sim: max, id_sim_matched: matched };
    ctx.score("id_sim", max);
    ctx.score("id_sim_matched", matched);
    return { ...values, METRICS: { values, details: { per_reference: perReference, encoder: similarity.references.encoder } } };
  },
});
