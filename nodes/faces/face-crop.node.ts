import { declareNode, input, optional } from "../../engine/node/define-node.ts";
import { FACE_ENCODER, FACES, IMAGE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "FaceCrop",
  version: "1.0.0",
  category: "faces",
  summary: "Cuts the faces out, aligned as an encoder sees them (the embedded one when none is connected).",
  inputs: { faces: input(FACES), encoder: optional(FACE_ENCODER) },
  outputs: { IMAGE },
  cache: "pure",
});
