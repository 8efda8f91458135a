import type { Models } from "../../engine/node/context.ts";
import type { FaceEncoder } from "../shared/contracts/modules.ts";
import { DLIB_CHIP, dlibAlignment } from "./dlib-template.ts";
import { openFaceWeights } from "./face-weights.ts";
import { buildFaceRes } from "./faceres-net.ts";

export const FACERES_FILE = "faceres1024.safetensors";

/** Width and height of the network's input. */
const SIZE = 224;
const SCALE = SIZE / DLIB_CHIP;

/**
 * The other embedded encoder, for evaluation by an encoder other than the reward's: HSE FaceRes, 1024-d. It sees dlib's chip, enlarged.
 * The same person above a centred cosine of 0.37 (models/faces/README.md says on what that was measured).
 * @throws AppError MODEL_NOT_FOUND, FACE_WEIGHTS
 */
export async function loadFaceResEncoder(models: Models): Promise<FaceEncoder> {
  const weights = await openFaceWeights(models, FACERES_FILE, "faceres-1024");
  const mean = await weights.read("mean", [1024]);
  return {
    id: `faceres1024-1:${weights.fingerprint}`,
    size: SIZE,
    dim: 1024,
    comparison: { kind: "cosine", threshold: 0.37, mean },
    alignment(face) {
      const [a, b, tx, c, d, ty] = dlibAlignment(face);
      return [SCALE * a, SCALE * b, SCALE * tx, SCALE * c, SCALE * d, SCALE * ty];
    },
    build: (b, crops) => buildFaceRes(b, weights, crops),
  };
}
