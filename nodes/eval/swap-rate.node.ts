import { declareNode, input } from "../../engine/node/define-node.ts";
import { FACES, MATCHES, METRICS } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "SwapRate",
  version: "1.0.0",
  category: "evaluate",
  summary: "Share of the people who stand in somebody else's place.",
  inputs: { matches: input(MATCHES), target: input(FACES, "Face k of the first picture is the place of reference k.") },
  outputs: { METRICS },
  cache: "pure",
});
