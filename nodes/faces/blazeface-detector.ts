import type { Models } from "../../engine/node/context.ts";
import type { Face } from "../shared/contracts/data.ts";
import type { FaceDetector } from "../shared/contracts/modules.ts";
import { pictureOf } from "../shared/pictures/picture.ts";
import { ImagePyramid } from "../shared/pictures/warp-image.ts";
import { buildBlazeFace } from "./blazeface-net.ts";
import { BLAZEFACE_SIZE, lookTurned, searchFaces, suppressFaces } from "./blazeface-search.ts";
import { confirmFace, isSure } from "./confirm-face.ts";
import { BLAZEFACE_FILE } from "./embedded-files.ts";
import { openFaceWeights } from "./face-weights.ts";
import { loadLandmarks68 } from "./landmarks68.ts";
import { selectFaces, sortFaces } from "./select-faces.ts";
import { squareNet } from "./square-net.ts";

/** The embedded detector: BlazeFace, then 68 landmarks of each face. @throws AppError MODEL_NOT_FOUND, FACE_WEIGHTS */
export async function loadBlazeFaceDetector(models: Models): Promise<FaceDetector> {
  const weights = await openFaceWeights(models, BLAZEFACE_FILE, "blazeface-back");
  const landmarks = await loadLandmarks68(models);
  const net = squareNet(BLAZEFACE_SIZE, (b, x) => buildBlazeFace(b, weights, x));
  return {
    id: `blazeface-3:${weights.fingerprint}:${landmarks.fingerprint}`,
    async detect(compute, image, options) {
      const picture = new ImagePyramid(pictureOf(image, 0));
      const minScore = options.minScore ?? 0.5;
      const minSize = Math.max(options.minSize ?? 0, 32);
      const look = await net.open(compute);
      const find = await landmarks.open(compute);
      const search = async (turn: number): Promise<{ readonly faces: readonly Face[]; readonly isUpsideDown: boolean }> => {
        const faces: Face[] = [];
        let isUpsideDown = false;
        for (const sighting of await searchFaces(look, picture, { minScore, minSize, turn })) {
          const turned = isSure(sighting) ? undefined : await lookTurned(look, picture, sighting, minScore, turn);
          const as = turned ? { minScore, turn: turn + Math.PI } : { minScore, turn };
          const face = await confirmFace(look, find, picture, turned ?? sighting, as);
          if (face) faces.push(face);
          if (face && turned) isUpsideDown = true;
        }
        return { faces, isUpsideDown };
      };
      let { faces, isUpsideDown } = await search(0);
      // Upside down, only some faces are found, and those not well.
      if (faces.length === 0 || isUpsideDown) faces = suppressFaces([...faces, ...(await search(Math.PI)).faces]);
      return selectFaces(sortFaces(faces), { ...options, minScore });
    },
  };
}
