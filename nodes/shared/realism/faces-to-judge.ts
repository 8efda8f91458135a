import type { Face, Image } from "../contracts/data.ts";
import type { FaceDetector, RewardContext } from "../contracts/modules.ts";
import { detectOnce } from "../faces/detect-once.ts";
import { scaledFace } from "../faces/scaled-face.ts";

/** Where a realism reward takes its faces from. Browser safe: declarations list them. */
export const FACES_FROM = ["detected", "target"] as const;
export type FacesFrom = (typeof FACES_FROM)[number];

export interface FacesToJudge {
  readonly facesFrom: FacesFrom;
  readonly minSize: number;
  readonly maxFaces: number;
}

/** The faces that a realism reward looks at: found in the picture, or those of the training target in its coordinates. */
export async function facesToJudge(
  image: Image,
  { compute, target }: RewardContext,
  detector: FaceDetector,
  { facesFrom, minSize, maxFaces }: FacesToJudge,
): Promise<readonly Face[]> {
  if (facesFrom === "detected") return detectOnce(compute, detector, image, { minSize, maxFaces });
  return (target?.faces ?? []).map((face) => scaledFace(face, target?.image ?? image, image));
}
