// Who should be in a picture, as a reward compares them.
import { AppError } from "../../engine/base/errors.ts";
import type { Compute } from "../../engine/ir/compute.ts";
import type { Face, Image, Point } from "../shared/contracts/data.ts";
import type { FaceEncoder, RewardContext } from "../shared/contracts/modules.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { placeOf } from "../shared/faces/layout.ts";
import { unitRows } from "../shared/matching/similarity.ts";

/** What faces are compared with: the reference pictures, the same people in the training target, or both (the mean of the cosines). */
export type Against = "refs" | "target" | "both";

export interface People {
  readonly count: number;
  /** Row-major [count, dim]: a dot product with a unit vector is the similarity with that person. */
  readonly rows: Float64Array;
}

/**
 * The people as rows of one encoder. With `both`, face k of the target is person k (as datasets promise).
 * @throws AppError REWARD_REFERENCES, REWARD_TARGET when the pictures to compare with are missing.
 */
export async function peopleOf(context: RewardContext, encoder: FaceEncoder, against: Against): Promise<People> {
  const sets: Float64Array[] = [];
  if (against !== "target") sets.push(await referenceRows(context, encoder));
  if (against !== "refs") {
    sets.push(await targetRows(context, encoder));
  }
  const [first = new Float64Array(0), second] = sets;
  const count = first.length / encoder.dim;
  if (!second) return { count, rows: first };
  if (first.length !== second.length)
    throw new AppError("REWARD_TARGET", `the target shows ${second.length / encoder.dim} faces, but there are ${count} references`, {
      hint: "with against = both, face k of the target must be the person of reference k",
    });
  // The mean of two unit rows, left unnormalised: its product with a vector is the mean of the two cosines.
  return { count, rows: first.map((x, i) => (x + (second[i] ?? 0)) / 2) };
}

/** Keyed by the objects themselves: an id is only as unique as its maker promises, and a collision would silently score the wrong person. */
const remembered = new WeakMap<FaceEncoder, WeakMap<Image, Map<string, Promise<Float64Array>>>>();

/** Unit rows of the faces of one picture, kept as long as the picture is (a tensor is never changed in place). */
function rowsOf(compute: Compute, encoder: FaceEncoder, image: Image, faces: readonly Face[]): Promise<Float64Array> {
  const byImage = remembered.get(encoder) ?? new WeakMap<Image, Map<string, Promise<Float64Array>>>();
  remembered.set(encoder, byImage);
  const known = byImage.get(image) ?? new Map<string, Promise<Float64Array>>();
  byImage.set(image, known);
  const key = JSON.stringify(faces);
  const rows =
    known.get(key) ??
    embedFaces(compute, encoder, { images: image, faces: [faces] }).then(({ vectors }) => unitRows(vectors, encoder.comparison.mean));
  known.set(key, rows);
  rows.catch(() => known.delete(key));
  return rows;
}

async function referenceRows({ references, compute }: RewardContext, encoder: FaceEncoder): Promise<Float64Array> {
  if (!references || references.faces.length === 0)
    throw new AppError("REWARD_REFERENCES", "this reward compares with reference faces, but there are none", {
      hint: "give references in which faces are found, or set against to target",
    });
  const rows = new Float64Array(references.faces.length * encoder.dim);
  for (const [k, face] of references.faces.entries()) {
    const image = references.images[k];
    if (!image) throw new AppError("REWARD_REFERENCES", `there is no picture for reference ${k}`);
    rows.set(await rowsOf(compute, encoder, image, [face]), k * encoder.dim);
  }
  return rows;
}

function targetRows(context: RewardContext, encoder: FaceEncoder): Promise<Float64Array> {
  const { image, faces } = targetOf(context);
  return rowsOf(context.compute, encoder, image, faces);
}

/** The ground-truth picture. @throws AppError REWARD_TARGET */
export function targetOf({ target }: RewardContext): { readonly image: Image; readonly faces: readonly Face[] } {
  if (target && target.faces.length > 0) return target;
  throw new AppError("REWARD_TARGET", "this reward compares with the target picture, but there is none with faces", {
    hint: "use a dataset with targets, connect a target, or compare with the references",
  });
}

/** Where everyone should stand. */
export function intendedPlaces(context: RewardContext): Point[] {
  const { image, faces } = targetOf(context);
  return faces.map((face) => placeOf(face, image));
}
