import { declareNode, input } from "../../engine/node/define-node.ts";
import { ANY, STRING } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "PreviewAny",
  version: "1.1.0",
  category: "utils",
  summary: "Shows any value as text, and passes the text on.",
  inputs: { source: input(ANY, "What to show.") },
  outputs: { STRING },
  // What it shows is replayed when its result comes from the cache.
  cache: "pure",
  isOutput: true,
});
