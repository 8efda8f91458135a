import { declareNode, input } from "../../engine/node/define-node.ts";
import { METRICS, SIMILARITY } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "IDConf",
  version: "1.0.0",
  category: "evaluate",
  summary: "ID-Conf in percent: how clearly each reference is one face only. In the paper's form and the released code's.",
  inputs: { similarity: input(SIMILARITY) },
  outputs: { METRICS },
  cache: "pure",
});
