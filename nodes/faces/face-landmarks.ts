import { implementNode } from "../../engine/node/define-node.ts";
import type { Face, Point } from "../shared/contracts/data.ts";
import { pictureOf } from "../shared/pictures/picture.ts";
import { ImagePyramid } from "../shared/pictures/warp-image.ts";
import declaration from "./face-landmarks.node.ts";
import { landmarkSquare } from "./face-square.ts";
import { loadLandmarks68 } from "./landmarks68.ts";

export default implementNode(declaration, {
  async run({ faces }, ctx) {
    const find = await (await loadLandmarks68(ctx.models)).open(ctx.compute);
    const lists: Face[][] = [];
    for (const [i, list] of faces.faces.entries()) {
      const picture = new ImagePyramid(pictureOf(faces.images, i));
      const full: Face[] = [];
      for (const face of list) {
        const [left, right, , mouthLeft, mouthRight] = face.points5;
        const mouth: Point = [(mouthLeft[0] + mouthRight[0]) / 2, (mouthLeft[1] + mouthRight[1]) / 2];
        full.push(face.points68 ? face : { ...face, points68: await find(picture, landmarkSquare([left, right], mouth)) });
      }
      lists.push(full);
    }
    return { FACES: { images: faces.images, faces: lists } };
  },
});
