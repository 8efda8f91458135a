import type { Models } from "../../engine/node/context.ts";
import type { FaceEncoder } from "../shared/contracts/modules.ts";
import { DLIB_MEAN_DESCRIPTOR } from "./dlib-mean-descriptor.ts";
import { buildDlib128 } from "./dlib-net.ts";
import { DLIB_CHIP, dlibAlignment } from "./dlib-template.ts";
import { DLIB_FILE } from "./embedded-files.ts";
import { openFaceWeights } from "./face-weights.ts";

/**
 * The embedded encoder: dlib's 128-d descriptor of an aligned chip, not normalised; the same person below an L2 distance of 0.6.
 * @throws AppError MODEL_NOT_FOUND, FACE_WEIGHTS
 */
export async function loadDlibEncoder(models: Models): Promise<FaceEncoder> {
  const weights = await openFaceWeights(models, DLIB_FILE, "dlib-resnet-128");
  return {
    id: `dlib128-1:${weights.fingerprint}`,
    size: DLIB_CHIP,
    dim: 128,
    comparison: { kind: "l2", threshold: 0.6, mean: DLIB_MEAN_DESCRIPTOR },
    alignment: dlibAlignment,
    build: (b, crops) => buildDlib128(b, weights, crops),
  };
}
