import type { Face, Point } from "../shared/contracts/data.ts";
import { type Affine, similarityTransform } from "../shared/pictures/affine.ts";

/** Width and height of dlib's aligned chip. */
export const DLIB_CHIP = 150;
/** Border around the mean face, as a part of its size. */
const PADDING = 0.25;

/** dlib's mean face shape, landmarks 17 to 67 (dlib/image_transforms/interpolation.h). */
const MEAN_X: readonly number[] = [
  0.000213256, 0.0752622, 0.18113, 0.29077, 0.393397, 0.586856, 0.689483, 0.799124, 0.904991, 0.98004, 0.490127, 0.490127, 0.490127,
  0.490127, 0.36688, 0.426036, 0.490127, 0.554217, 0.613373, 0.121737, 0.187122, 0.265825, 0.334606, 0.260918, 0.182743, 0.645647, 0.714428,
  0.793132, 0.858516, 0.79751, 0.719335, 0.254149, 0.340985, 0.428858, 0.490127, 0.551395, 0.639268, 0.726104, 0.642159, 0.556721, 0.490127,
  0.423532, 0.338094, 0.290379, 0.428096, 0.490127, 0.552157, 0.689874, 0.553364, 0.490127, 0.42689,
];
const MEAN_Y: readonly number[] = [
  0.106454, 0.038915, 0.0187482, 0.0344891, 0.0773906, 0.0773906, 0.0344891, 0.0187482, 0.038915, 0.106454, 0.203352, 0.307009, 0.409805,
  0.515625, 0.587326, 0.609345, 0.628106, 0.609345, 0.587326, 0.216423, 0.178758, 0.179852, 0.231733, 0.245099, 0.244077, 0.231733,
  0.179852, 0.178758, 0.216423, 0.244077, 0.245099, 0.780233, 0.745405, 0.727388, 0.742578, 0.727388, 0.745405, 0.780233, 0.864805,
  0.902192, 0.909281, 0.902192, 0.864805, 0.784792, 0.778746, 0.785343, 0.778746, 0.784792, 0.824182, 0.831803, 0.824182,
];

/** Landmarks the alignment rests on: nose, eyes, upper lip and the line between the lips. Jaw, brows and lower lip move too much. */
const RIGID: readonly number[] = Array.from({ length: 68 }, (_, i) => i).filter((i) => (i >= 27 && i <= 54) || (i >= 60 && i <= 64));
/** Where the rigid landmarks belong in the chip; +.5 because dlib counts pixel centres from 0. */
const TARGETS: readonly Point[] = RIGID.map((i) => {
  const place = (mean: number | undefined): number => ((PADDING + (mean ?? 0)) / (1 + 2 * PADDING)) * DLIB_CHIP + 0.5;
  return [place(MEAN_X[i - 17]), place(MEAN_Y[i - 17])];
});
/** Where five points belong in the chip, measured over faces aligned by 68. */
const TARGETS5: readonly Point[] = [
  [48.2, 47.0],
  [100.0, 46.9],
  [73.7, 77.2],
  [49.6, 101.8],
  [98.8, 101.6],
];

/**
 * Picture to dlib's 150×150 chip: the least-squares similarity of the rigid landmarks to the mean face, or of the five
 * points where the face has no 68. @throws AppError ALIGN_POINTS when the landmarks collapse.
 */
export function dlibAlignment(face: Face): Affine {
  const points = face.points68;
  if (!points) return similarityTransform(face.points5, TARGETS5);
  return similarityTransform(
    RIGID.map((i) => points[i] ?? [Number.NaN, Number.NaN]),
    TARGETS,
  );
}
