import { declareNode, input } from "../../engine/node/define-node.ts";
import { MATCHES, METRICS } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "Blend",
  version: "1.0.0",
  category: "evaluate",
  summary: "M_Bld: how much each face looks like the other people. Lower is better.",
  inputs: {
    matches: input(MATCHES, "The generated faces matched with the true picture's faces (the paper's form) or with the references."),
  },
  outputs: { METRICS },
  cache: "pure",
});
