import { defineNode, input, optional } from "../../engine/node/define-node.ts";
import { EMBEDDINGS, FACE_ENCODER, FACES } from "../shared/contracts/sockets.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { loadDlibEncoder } from "./dlib-encoder.ts";

export default defineNode({
  type: "FaceEmbed",
  version: "1.0.0",
  category: "faces",
  summary: "Turns each face into a vector that tells people apart. Uses the embedded encoder when none is connected.",
  inputs: { faces: input(FACES), encoder: optional(FACE_ENCODER) },
  outputs: { EMBEDDINGS },
  cache: "pure",
  async run({ faces, encoder }, ctx) {
    return { EMBEDDINGS: await embedFaces(ctx.compute, encoder ?? (await loadDlibEncoder(ctx.models)), faces) };
  },
});
