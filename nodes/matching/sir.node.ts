import { declareNode, input } from "../../engine/node/define-node.ts";
import { FLOAT, MATCHES, METRICS } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "SIR",
  version: "1.0.0",
  category: "matching/score",
  summary: "Single-identity reward: similarity of each reference with its matched face, averaged; a missing face counts 0.",
  inputs: { matches: input(MATCHES) },
  outputs: { FLOAT, METRICS },
  cache: "pure",
});
