import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { defineNode, input, optional, widget } from "../../engine/node/define-node.ts";
import type { Embeddings, Faces, Matches, Point, Similarity } from "../shared/contracts/data.ts";
import { FACES, FLOAT, MATCHES, SIMILARITY } from "../shared/contracts/sockets.ts";
import { aspectOf, layoutDistances, placeOf, placesOf } from "../shared/faces/layout.ts";
import { matchFaces } from "../shared/matching/match-faces.ts";

export default defineNode({
  type: "HungarianMatch",
  version: "1.1.0",
  category: "matching",
  summary: "Assigns generated faces to references so that the total similarity is largest.",
  inputs: {
    similarity: input(SIMILARITY),
    layout_weight: widget(z.number().min(0).max(100).default(0), {
      tooltip: "μ: cost of standing one picture diagonal away from the planned place. 0 = identity alone decides.",
      step: 0.05,
    }),
    accept: widget(z.enum(["encoder", "custom", "all"]).default("encoder"), {
      tooltip: "Which threshold a pair must pass to be accepted: the encoder's own, the one below, or none.",
    }),
    threshold: widget(z.number().min(-1).max(10).default(0.5), {
      tooltip: "For accept = custom: a smallest cosine, or a largest distance, as the encoder compares.",
      step: 0.01,
    }),
    gate: widget(z.boolean().default(false), {
      tooltip: "Forbid pairs that fail the threshold, instead of assigning and marking them.",
    }),
    target: optional(
      FACES,
      "Planned places: face k is where reference k should stand. Default: where it stood, if all references share a picture.",
    ),
  },
  outputs: { MATCHES, margin: FLOAT },
  cache: "pure",
  run({ similarity, layout_weight, accept, threshold, gate, target }, ctx) {
    const { matches, margin } = matchFaces(similarity, {
      threshold: thresholdOf(similarity, accept, threshold),
      gate,
      ...(layout_weight > 0 ? { layout: { weight: layout_weight, distances: distancesFor(similarity, target) } } : {}),
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
  return layoutDistances(plannedPlaces(references.source.length), placesOf(generated), aspectOf(generated.faces.images));

  function plannedPlaces(count: number): Point[] {
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
