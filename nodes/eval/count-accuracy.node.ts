import { declareNode, input } from "../../engine/node/define-node.ts";
import { METRICS, SIMILARITY } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "CountAccuracy",
  version: "1.1.0",
  category: "evaluate",
  summary: "Whether as many people were drawn as were asked for, with both counts.",
  inputs: { similarity: input(SIMILARITY) },
  outputs: { METRICS },
  cache: "pure",
});
