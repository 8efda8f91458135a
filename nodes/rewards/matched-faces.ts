// What every identity reward does first: find the faces of a picture, embed them, assign them to the people.

import type { Face, Image } from "../shared/contracts/data.ts";
import type { FaceDetector, FaceEncoder, RewardContext } from "../shared/contracts/modules.ts";
import { type DetectOptions, detectOnce } from "../shared/faces/detect-once.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { aspectOf, layoutDistances, placeOf } from "../shared/faces/layout.ts";
import { hungarian } from "../shared/matching/hungarian.ts";
import { unitRows } from "../shared/matching/similarity.ts";
import { type Against, intendedPlaces, type People, peopleOf } from "./people.ts";

export interface MatchedFacesOptions extends DetectOptions {
  readonly against: Against;
  /** μ of the matching cost −e + μ·‖c_generated − c_target‖/diagonal; needs a target when above 0. */
  readonly layoutWeight: number;
}

export interface MatchedFaces {
  readonly faces: readonly Face[];
  readonly people: People;
  /** Similarities, row-major [people, faces]. */
  readonly values: Float64Array;
  readonly pairs: readonly { readonly reference: number; readonly generated: number }[];
  /** Readings for the log. */
  readonly info: Readonly<Record<string, unknown>>;
}

/** Not differentiable: its results enter the graph as constants. */
export async function matchPicture(
  image: Image,
  context: RewardContext,
  detector: FaceDetector,
  encoder: FaceEncoder,
  { against, layoutWeight, ...detect }: MatchedFacesOptions,
): Promise<MatchedFaces> {
  const people = await peopleOf(context, encoder, against);
  const faces = await detectOnce(context.compute, detector, image, detect);
  const { vectors } = await embedFaces(context.compute, encoder, { images: image, faces: [faces] });
  const unit = unitRows(vectors, encoder.comparison.mean);
  const n = faces.length;
  const values = new Float64Array(people.count * n).map((_, at) => {
    const [k, j] = [Math.floor(at / n), at % n];
    let dot = 0;
    for (let d = 0; d < encoder.dim; d++) dot += (people.rows[k * encoder.dim + d] ?? 0) * (unit[j * encoder.dim + d] ?? 0);
    return dot;
  });
  const distances =
    layoutWeight > 0
      ? layoutDistances(
          intendedPlaces(context),
          faces.map((face) => placeOf(face, image)),
          aspectOf(image),
        )
      : undefined;
  const costs = values.map((e, at) => layoutWeight * (distances?.[at] ?? 0) - e);
  const pairs = hungarian(costs, people.count, n).pairs.map(({ row, column }) => ({ reference: row, generated: column }));
  return { faces, people, values, pairs, info: { faces: n, people: people.count, pairs, similarity: [...values] } };
}
