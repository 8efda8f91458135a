import { declareNode, input, optional } from "../../engine/node/define-node.ts";
import { EMBEDDINGS, FACE_ENCODER, FACES } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "FaceEmbed",
  version: "1.0.0",
  category: "faces",
  summary: "Turns each face into a vector that tells people apart. Uses the embedded encoder when none is connected.",
  inputs: { faces: input(FACES), encoder: optional(FACE_ENCODER) },
  outputs: { EMBEDDINGS },
  cache: "pure",
});
