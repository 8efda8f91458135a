// Where the skin of a face is, roughly: texture is measured there, because eyes, mouth, hair and background have statistics of their own.
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { Face, Point } from "../contracts/data.ts";
import type { FaceWindow } from "./face-window.ts";

/** Half axes, as parts of the box, of the ellipse used for a face without landmarks. */
const ELLIPSE = 0.4;
/** Half axes of what is left out, in eye distances. */
const EYE = [0.32, 0.2] as const;
/** Half axes in mouth widths. */
const MOUTH = [0.65, 0.35] as const;

/**
 * Mask [side, side] that sums to 1 over the skin in a window, 0 elsewhere: the polygon of jaw and brows where the face has 68 points,
 * else an ellipse 0.8 times its box; in both, less eyes and mouth. Undefined when nothing of it lies in the window.
 */
export function skinMask(face: Face, { x, y, side }: FaceWindow): Tensor<"float32"> | undefined {
  const [left, right, , mouthLeft, mouthRight] = face.points5;
  const angle = Math.atan2(right[1] - left[1], right[0] - left[0]);
  const eyes = Math.hypot(right[0] - left[0], right[1] - left[1]);
  const mouth = Math.hypot(mouthRight[0] - mouthLeft[0], mouthRight[1] - mouthLeft[1]);
  const middle: Point = [(mouthLeft[0] + mouthRight[0]) / 2, (mouthLeft[1] + mouthRight[1]) / 2];
  const holes: readonly { readonly at: Point; readonly axes: readonly [number, number] }[] = [
    { at: left, axes: [EYE[0] * eyes, EYE[1] * eyes] },
    { at: right, axes: [EYE[0] * eyes, EYE[1] * eyes] },
    { at: middle, axes: [MOUTH[0] * mouth, MOUTH[1] * mouth] },
  ];
  const [x0, y0, x1, y1] = face.box;
  const outline = face.points68 && [...face.points68.slice(0, 17), ...face.points68.slice(17, 27).toReversed()];
  const isFace = (p: Point): boolean =>
    outline ? inPolygon(p, outline) : inEllipse(p, [(x0 + x1) / 2, (y0 + y1) / 2], [ELLIPSE * (x1 - x0), ELLIPSE * (y1 - y0)], 0);
  const mask = new Float32Array(side * side);
  let sum = 0;
  for (let i = 0; i < mask.length; i++) {
    const p: Point = [x + (i % side) + 0.5, y + Math.floor(i / side) + 0.5];
    if (!isFace(p) || holes.some(({ at, axes }) => inEllipse(p, at, axes, angle))) continue;
    mask[i] = 1;
    sum++;
  }
  return sum === 0
    ? undefined
    : f32(
        [side, side],
        mask.map((m) => m / sum),
      );
}

function inEllipse([x, y]: Point, [cx, cy]: Point, [a, c]: readonly [number, number], angle: number): boolean {
  const [dx, dy] = [x - cx, y - cy];
  const u = dx * Math.cos(angle) + dy * Math.sin(angle);
  const v = dy * Math.cos(angle) - dx * Math.sin(angle);
  return a > 0 && c > 0 && (u / a) ** 2 + (v / c) ** 2 <= 1;
}

/** Even-odd rule. */
function inPolygon([x, y]: Point, points: readonly Point[]): boolean {
  let inside = false;
  points.forEach(([px, py], i) => {
    const [qx, qy] = points[(i + points.length - 1) % points.length] ?? [px, py];
    if (py > y !== qy > y && x < ((qx - px) * (y - py)) / (qy - py) + px) inside = !inside;
  });
  return inside;
}
