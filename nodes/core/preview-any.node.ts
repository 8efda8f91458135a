import { declareNode, input } from "../../engine/node/define-node.ts";
import { ANY } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "PreviewAny",
  version: "1.0.0",
  category: "utils",
  summary: "Shows any value as text.",
  inputs: { source: input(ANY, "What to show.") },
  outputs: {},
  cache: "never",
  isOutput: true,
});
