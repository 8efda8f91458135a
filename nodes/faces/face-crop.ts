import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { cropFace } from "../shared/faces/crop-face.ts";
import { pictureOf } from "../shared/pictures/picture.ts";
import { loadDlibEncoder } from "./dlib-encoder.ts";
import declaration from "./face-crop.node.ts";

export default implementNode(declaration, {
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
