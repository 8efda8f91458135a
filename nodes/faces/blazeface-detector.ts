import { AppError } from "../../engine/base/errors.ts";
import type { Models } from "../../engine/node/context.ts";
import type { Face } from "../shared/contracts/data.ts";
import type { FaceDetector } from "../shared/contracts/modules.ts";
import { scaleOfAffine } from "../shared/pictures/affine.ts";
import { pictureOf } from "../shared/pictures/picture.ts";
import { ImagePyramid } from "../shared/pictures/warp-image.ts";
import { buildBlazeFace } from "./blazeface-net.ts";
import { BLAZEFACE_SIZE, searchFaces } from "./blazeface-search.ts";
import { longSide } from "./box.ts";
import { DLIB_CHIP, dlibAlignment } from "./dlib-template.ts";
import { BLAZEFACE_FILE } from "./embedded-files.ts";
import { landmarkSquare } from "./face-square.ts";
import { openFaceWeights } from "./face-weights.ts";
import { fiveOf68, loadLandmarks68 } from "./landmarks68.ts";
import { selectFaces, sortFaces } from "./select-faces.ts";
import { squareNet } from "./square-net.ts";

/** The embedded detector: BlazeFace, then 68 landmarks of each face. @throws AppError MODEL_NOT_FOUND, FACE_WEIGHTS */
export async function loadBlazeFaceDetector(models: Models): Promise<FaceDetector> {
  const weights = await openFaceWeights(models, BLAZEFACE_FILE, "blazeface-back");
  const landmarks = await loadLandmarks68(models);
  const net = squareNet(BLAZEFACE_SIZE, (b, x) => buildBlazeFace(b, weights, x));
  return {
    id: `blazeface-1:${weights.fingerprint}:${landmarks.fingerprint}`,
    async detect(compute, image, options) {
      const picture = new ImagePyramid(pictureOf(image, 0));
      const minScore = options.minScore ?? 0.5;
      const look = await net.open(compute);
      const sightings = await searchFaces(look, picture, minScore, Math.max(options.minSize ?? 0, 32));
      const findLandmarks = await landmarks.open(compute);
      const faces: Face[] = [];
      for (const { box, score, eyes, mouth } of sortFaces(sightings)) {
        const points68 = await findLandmarks(picture, landmarkSquare(eyes, mouth));
        const face: Face = { box, score, points5: fiveOf68(points68), points68 };
        if (fillsItsBox(face)) faces.push(face);
      }
      return selectFaces(faces, { ...options, minScore });
    },
  };
}

/** What is not a face has landmarks that collapse: the aligned chip is then much smaller than the box, for faces about 1.2 times as large. */
function fillsItsBox(face: Face): boolean {
  try {
    return DLIB_CHIP / scaleOfAffine(dlibAlignment(face)) > 0.55 * longSide(face.box);
  } catch (error) {
    if (error instanceof AppError && error.code === "ALIGN_POINTS") return false;
    throw error;
  }
}
