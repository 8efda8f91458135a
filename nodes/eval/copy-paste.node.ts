import { declareNode, input } from "../../engine/node/define-node.ts";
import { EMBEDDINGS, MATCHES, METRICS } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "CopyPaste",
  version: "1.0.0",
  category: "evaluate",
  summary: "M_CP: 1 = faces are copies of the references, -1 = they look like the true picture instead.",
  inputs: { matches: input(MATCHES), target: input(EMBEDDINGS, "The true picture's faces: row k shows the person of reference k.") },
  outputs: { METRICS },
  cache: "pure",
});
