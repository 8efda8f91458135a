import { AppError } from "../../../engine/base/errors.ts";
import type { Faces, Matches } from "../contracts/data.ts";
import { aspectOf, assignByPlace, layoutDistances, placeOf, placesOf } from "../faces/layout.ts";

export interface SwapRate {
  /** Share of the comparable people who stand in another's place; undefined when there is none. */
  readonly rate: number | undefined;
  readonly swapped: readonly number[];
  /** References with both a matched face and a face in their place. */
  readonly compared: number;
}

/** Compares who a face is (the match) with whose place it stands in (the assignment by position alone). MIMR cannot see this. */
export function swapRateValue(matches: Matches, target: Faces): SwapRate {
  const { references, generated } = matches.similarity;
  const places = (target.faces[0] ?? []).map((face) => placeOf(face, target.images));
  if (places.length !== references.source.length)
    throw new AppError("METRIC_TARGET", `target shows ${places.length} faces, but there are ${references.source.length} references`, {
      hint: "face k of target must be the place of reference k",
    });
  const distances = layoutDistances(places, placesOf(generated), aspectOf(generated.faces.images));
  const byPlace = assignByPlace(distances, places.length, generated.source.length);
  const compared = matches.pairs.filter((p) => (byPlace[p.reference] ?? -1) >= 0);
  const swapped = compared.filter((p) => byPlace[p.reference] !== p.generated).map((p) => p.reference);
  return { rate: compared.length > 0 ? swapped.length / compared.length : undefined, swapped, compared: compared.length };
}
