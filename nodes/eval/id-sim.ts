import { defineNode, input } from "../../engine/node/define-node.ts";
import { FLOAT, METRICS, SIMILARITY } from "../shared/contracts/sockets.ts";
import { idSim } from "../shared/metrics/id-sim.ts";

export default defineNode({
  type: "IDSim",
  version: "1.0.0",
  category: "evaluate",
  summary: "ID-Sim in percent: how much the faces look like their references, by the best face and by the matched one.",
  inputs: { similarity: input(SIMILARITY) },
  outputs: { id_sim: FLOAT, id_sim_matched: FLOAT, METRICS },
  cache: "pure",
  run({ similarity }, ctx) {
    const { max, matched, perReference } = idSim(similarity);
    const values = { id_sim: max, id_sim_matched: matched };
    ctx.score("id_sim", max);
    ctx.score("id_sim_matched", matched);
    return { ...values, METRICS: { values, details: { per_reference: perReference, encoder: similarity.references.encoder } } };
  },
});
