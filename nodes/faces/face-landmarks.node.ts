import { declareNode, input } from "../../engine/node/define-node.ts";
import { FACES } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "FaceLandmarks",
  version: "1.0.0",
  category: "faces",
  summary: "Adds 68 landmarks to faces whose detector gave only five.",
  inputs: { faces: input(FACES) },
  outputs: { FACES },
  cache: "pure",
});
