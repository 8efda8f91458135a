import type { Compute } from "../../engine/ir/compute.ts";
import type { Models } from "../../engine/node/context.ts";
import type { Face, Point } from "../shared/contracts/data.ts";
import { applyAffine } from "../shared/pictures/affine.ts";
import type { ImagePyramid } from "../shared/pictures/warp-image.ts";
import { type Square, squareToSource } from "./face-square.ts";
import { openFaceWeights } from "./face-weights.ts";
import { buildLandmarks68 } from "./landmarks68-net.ts";
import { squareNet } from "./square-net.ts";

/** Width and height of the landmark network's input. */
const SIZE = 112;

/** Finds 68 landmarks (iBUG order) in a square of a picture, in picture coordinates. */
export type FindLandmarks = (picture: ImagePyramid, square: Square) => Promise<readonly Point[]>;

export interface Landmarks68 {
  readonly fingerprint: string;
  open(compute: Compute): Promise<FindLandmarks>;
}

/** The embedded landmark network (face-api's 68 points). @throws AppError MODEL_NOT_FOUND, FACE_WEIGHTS */
export async function loadLandmarks68(models: Models): Promise<Landmarks68> {
  const weights = await openFaceWeights(models, "landmarks68.safetensors", "face-landmarks-68");
  const net = squareNet(SIZE, (b, x) => ({ landmarks: buildLandmarks68(b, weights, x) }));
  return {
    fingerprint: weights.fingerprint,
    async open(compute) {
      const look = await net.open(compute);
      return async (picture, square) => {
        const toSource = squareToSource(square, SIZE);
        const answer = (await look(picture.warp(toSource, SIZE, SIZE)))("landmarks");
        return Array.from({ length: 68 }, (_, i) =>
          applyAffine(toSource, [(answer[2 * i] ?? Number.NaN) * SIZE, (answer[2 * i + 1] ?? Number.NaN) * SIZE]),
        );
      };
    },
  };
}

/** Eye centres (means of the six points of each), nose tip (30) and mouth corners (48, 54) of 68 landmarks. */
export function fiveOf68(points: readonly Point[]): Face["points5"] {
  const mean = (from: number, to: number): Point => {
    const part = points.slice(from, to);
    return [part.reduce((s, p) => s + p[0], 0) / part.length, part.reduce((s, p) => s + p[1], 0) / part.length];
  };
  const at = (i: number): Point => points[i] ?? [Number.NaN, Number.NaN];
  return [mean(36, 42), mean(42, 48), at(30), at(48), at(54)];
}
