import { declareNode, input } from "../../engine/node/define-node.ts";
import { IMAGE, MATCHES } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "DrawMatches",
  version: "1.0.0",
  category: "matching",
  summary: "Draws who is who: the picture below its references, joined by lines coloured by similarity.",
  inputs: { matches: input(MATCHES) },
  outputs: { IMAGE },
  cache: "pure",
});
