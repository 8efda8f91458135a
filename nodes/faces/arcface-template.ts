import type { Face, Point } from "../shared/contracts/data.ts";
import { type Affine, similarityTransform } from "../shared/pictures/affine.ts";

/** InsightFace's five points in a 112×112 crop; +.5 because OpenCV counts pixel centres from 0. */
const ARCFACE_112: readonly Point[] = [
  [38.2946 + 0.5, 51.6963 + 0.5],
  [73.5318 + 0.5, 51.5014 + 0.5],
  [56.0252 + 0.5, 71.7366 + 0.5],
  [41.5493 + 0.5, 92.3655 + 0.5],
  [70.7299 + 0.5, 92.2041 + 0.5],
];

/** Picture to an ArcFace crop of any size: the least-squares similarity of the five points to InsightFace's template. @throws AppError ALIGN_POINTS */
export function arcfaceAlignment(face: Face, size: number): Affine {
  const s = size / 112;
  return similarityTransform(
    face.points5,
    ARCFACE_112.map(([x, y]): Point => [x * s, y * s]),
  );
}
