import { defineNode, input, optional } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { FACE_ENCODER, FACES, IMAGE } from "../shared/contracts/sockets.ts";
import { cropFace } from "../shared/faces/crop-face.ts";
import { pictureOf } from "../shared/pictures/picture.ts";
import { loadDlibEncoder } from "./dlib-encoder.ts";

export default defineNode({
  type: "FaceCrop",
  version: "1.0.0",
  category: "faces",
  summary: "Cuts the faces out, aligned as an encoder sees them (the embedded one when none is connected).",
  inputs: { faces: input(FACES), encoder: optional(FACE_ENCODER) },
  outputs: { IMAGE },
  cache: "pure",
  async run({ faces, encoder }, ctx) {
    const { size, alignment } = encoder ?? (await loadDlibEncoder(ctx.models));
    const all = faces.faces.flatMap((list, image) => list.map((face) => ({ face, image })));
    const crops = new Float32Array(all.length * size * size * 3);
    all.forEach(({ face, image }, i) => {
      crops.set(cropFace(pictureOf(faces.images, image), alignment(face), size), i * size * size * 3);
    });
    return { IMAGE: f32([all.length, size, size, 3], crops) };
  },
});
