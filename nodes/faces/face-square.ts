import type { Point } from "../shared/contracts/data.ts";
import { type Affine, applyAffine } from "../shared/pictures/affine.ts";
import { type Box, longSide } from "./box.ts";

/** A square of a picture, turned by `angle` radians (clockwise on screen, as y points down). */
export interface Square {
  readonly centre: Point;
  readonly side: number;
  readonly angle: number;
}

/** From pixels of a size×size crop of the square to picture coordinates. */
export function squareToSource({ centre: [x, y], side, angle }: Square, size: number): Affine {
  const s = side / size;
  const c = Math.cos(angle) * s;
  const d = Math.sin(angle) * s;
  const half = size / 2;
  return [c, -d, x - c * half + d * half, d, c, y - d * half - c * half];
}

/** The square round a box's centre, `times` its longer side. */
export function squareAround(box: Box, times: number, angle = 0): Square {
  return { centre: [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2], side: longSide(box) * times, angle };
}

/**
 * The square the landmark network wants, from eyes and mouth: u = max(|mouth − eyes|, 0.95 × eye distance), centred 0.2 u
 * below the middle between eyes and mouth, side 2.8 u, turned with the eyes.
 */
export function landmarkSquare(eyes: readonly [Point, Point], mouth: Point): Square {
  const [[lx, ly], [rx, ry]] = eyes;
  const ex = (lx + rx) / 2;
  const ey = (ly + ry) / 2;
  const angle = Math.atan2(ry - ly, rx - lx);
  const u = Math.max(Math.hypot(mouth[0] - ex, mouth[1] - ey), 0.95 * Math.hypot(rx - lx, ry - ly));
  const turn: Affine = [Math.cos(angle), -Math.sin(angle), (ex + mouth[0]) / 2, Math.sin(angle), Math.cos(angle), (ey + mouth[1]) / 2];
  return { centre: applyAffine(turn, [0, 0.2 * u]), side: 2.8 * u, angle };
}
