import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { tensor } from "../../engine/tensor/tensor.ts";
import type { Embeddings, Faces, Matches, Point, Similarity } from "../shared/contracts/data.ts";
import { aspectOf, assignByPlace, layoutDistances, placeOf, placesOf } from "../shared/faces/layout.ts";
import { matchFaces } from "../shared/matching/match-faces.ts";
import declaration from "./hungarian-match.node.ts";
import { showMatch } from "./show-match.ts";

export default implementNode(declaration, {
  async run({ similarity, layout_weight, accept, threshold, gate, target }, ctx) {
    const passed = thresholdOf(similarity, accept, threshold);
    const isPlanned = layout_weight > 0 || target?.faces[0]?.length === similarity.references.source.length;
    const planned = isPlanned ? distancesFor(similarity, target) : undefined;
    const { matches, margin } = matchFaces(similarity, {
      threshold: passed,
      gate,
      ...(planned && { layout: { weight: layout_weight, distances: planned } }),
    });
    const [rows = 0, columns = 0] = similarity.values.shape;
    await showMatch(ctx, {
      matches,
      costs: tensor(
        "float64",
        [rows, columns],
        similarity.values.data.map((e, at) => -e + layout_weight * (planned?.[at] ?? 0)),
      ),
      threshold: accept === "all" ? null : passed,
      gate,
      byPlace: planned && assignByPlace(planned, rows, columns),
    });
    ctx.score(
      "pairs",
      matches.pairs.map((pair) => described(matches, pair)),
    );
    return { MATCHES: matches, margin };
  },
});

/** One pair for run.json: faces are counted from 0 in the order of their embeddings, boxes in pixels. */
function described({ similarity }: Matches, pair: Matches["pairs"][number]): Readonly<Record<string, unknown>> {
  const at = pair.reference * (similarity.values.shape[1] ?? 0) + pair.generated;
  return {
    reference: pair.reference,
    generated: pair.generated,
    similarity: pair.similarity,
    ...(similarity.distances ? { distance: similarity.distances.data[at] } : {}),
    accepted: pair.accepted,
    reference_box: boxOf(similarity.references, pair.reference),
    generated_box: boxOf(similarity.generated, pair.generated),
  };
}

function boxOf({ source, faces }: Embeddings, row: number): readonly number[] | undefined {
  const at = source[row];
  return at && faces.faces[at.image]?.[at.face]?.box.map((x) => Math.round(x * 10) / 10);
}

function thresholdOf({ comparison, distances }: Similarity, accept: "encoder" | "custom" | "all", custom: number): number {
  if (accept === "all") return distances ? Number.POSITIVE_INFINITY : -1;
  return accept === "custom" ? custom : comparison.threshold;
}

function distancesFor({ references, generated }: Similarity, target: Faces | undefined): Float64Array {
  return layoutDistances(intendedPlaces(references.source.length), placesOf(generated), aspectOf(generated.faces.images));

  function intendedPlaces(count: number): Point[] {
    if (!target) {
      if (new Set(references.source.map((s) => s.image)).size <= 1) return placesOf(references);
      throw new AppError("MATCH_LAYOUT", "layout_weight is set, but the references come from several pictures", {
        hint: "connect target: the faces of a picture that shows everyone in place; or set layout_weight to 0",
      });
    }
    const places = (target.faces[0] ?? []).map((face) => placeOf(face, target.images));
    if (places.length === count) return places;
    throw new AppError("MATCH_LAYOUT", `target shows ${places.length} faces, but there are ${count} references`, {
      hint: "face k of target must be the place of reference k",
    });
  }
}
