import { declareNode, input } from "../../engine/node/define-node.ts";
import { FLOAT, METRICS, SIMILARITY } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "IDSim",
  version: "1.0.0",
  category: "evaluate",
  summary: "ID-Sim in percent: how much the faces look like their references, by the best face and by the matched one.",
  inputs: { similarity: input(SIMILARITY) },
  outputs: { id_sim: FLOAT, id_sim_matched: FLOAT, METRICS },
  cache: "pure",
});
