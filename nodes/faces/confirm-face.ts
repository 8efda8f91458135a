// Whether a sighting is a face: something else looks like one only from one side, at one size, by chance.
import { AppError } from "../../engine/base/errors.ts";
import type { Face, Point } from "../shared/contracts/data.ts";
import { scaleOfAffine } from "../shared/pictures/affine.ts";
import type { ImagePyramid } from "../shared/pictures/warp-image.ts";
import { mirrorAgreement, type Sighting } from "./blazeface-search.ts";
import { longSide } from "./box.ts";
import { DLIB_CHIP, dlibAlignment } from "./dlib-template.ts";
import { landmarkSquare, type Square } from "./face-square.ts";
import { type FindLandmarks, fiveOf68 } from "./landmarks68.ts";
import type { Look } from "./square-net.ts";

/** Sightings at least as sure as this in both looks are faces without a third. */
const SURE = { first: 0.8, agreement: 0.65 };
/** How the square of the landmarks is moved (parts of its side), scaled and turned (radians) to find them again. */
const NUDGES = [
  { move: [0.06, 0.06], scale: 1, turn: 0.12 },
  { move: [-0.06, 0], scale: 0.9, turn: -0.12 },
] as const;
/** The least trust in a face: models/faces/README.md says on what that was measured. */
const TRUST = 0.22;

/**
 * The face of a sighting, with its landmarks; undefined when it is none. Landmarks that collapse are no face's: the aligned chip is then
 * much smaller than the box, for faces about 1.2 times as large. What is not quite sure is looked at again, mirrored, and its landmarks
 * are found again in squares moved and turned a little: trust is the first score times the mean agreement of both close looks, less
 * twice the mean distance between the landmarks.
 */
export async function confirmFace(
  look: Look,
  find: FindLandmarks,
  picture: ImagePyramid,
  sighting: Sighting,
  { minScore, turn }: { readonly minScore: number; readonly turn: number },
): Promise<Face | undefined> {
  const square = landmarkSquare(sighting.eyes, sighting.mouth);
  const points68 = await find(picture, square);
  const face: Face = { box: sighting.box, score: sighting.score, points5: fiveOf68(points68), points68 };
  if (!fillsItsBox(face)) return undefined;
  if (isSure(sighting)) return face;
  const agreement = (sighting.agreement + (await mirrorAgreement(look, picture, sighting, turn))) / 2;
  let scatter = 0;
  for (const nudge of NUDGES) scatter += distance(points68, await find(picture, nudged(square, nudge))) / square.side / NUDGES.length;
  return sighting.first * agreement - 2 * scatter >= Math.min(TRUST, 0.44 * minScore) ? face : undefined;
}

/** Whether both looks are enough. Nothing that is not a face, or is upside down, was ever as certain. */
export function isSure({ first, agreement }: Sighting): boolean {
  return first >= SURE.first && agreement >= SURE.agreement;
}

/** The square moved by parts of its side, made larger or smaller, and turned by radians. */
function nudged({ centre: [x, y], side, angle }: Square, { move: [dx, dy], scale, turn }: (typeof NUDGES)[number]): Square {
  return { centre: [x + dx * side, y + dy * side], side: side * scale, angle: angle + turn };
}

/** Root mean square distance of the inner landmarks (without the jaw) of the same face found twice. */
function distance(a: readonly Point[], b: readonly Point[]): number {
  const inner = a.slice(17);
  return Math.sqrt(
    inner.reduce((sum, [x, y], i) => {
      const [u, v] = b[i + 17] ?? [Number.NaN, Number.NaN];
      return sum + (x - u) ** 2 + (y - v) ** 2;
    }, 0) / inner.length,
  );
}

function fillsItsBox(face: Face): boolean {
  try {
    return DLIB_CHIP / scaleOfAffine(dlibAlignment(face)) > 0.55 * longSide(face.box);
  } catch (error) {
    if (error instanceof AppError && error.code === "ALIGN_POINTS") return false;
    throw error;
  }
}
