import type { NodeContext } from "../../engine/node/context.ts";
import type { Tensor } from "../../engine/tensor/tensor.ts";
import type { Embeddings, Matches } from "../shared/contracts/data.ts";
import { previewPrefix, savePreviews } from "../shared/faces/save-previews.ts";

export interface MatchView {
  readonly matches: Matches;
  /** [M, N], without the gate. */
  readonly costs: Tensor<"float64">;
  /** Infinity or -1, which every pair passes, is shown as null. */
  readonly threshold: number | null;
  readonly gate: boolean;
  /** The face in each reference's planned place, -1 = none; undefined when no places are planned. */
  readonly byPlace: readonly number[] | undefined;
}

/** Shows who is who (`matchShown` of engine/api): both sets of pictures with their faces, the matrix, and how pairs come from it. */
export async function showMatch(ctx: NodeContext, { matches, costs, threshold, gate, byPlace }: MatchView): Promise<void> {
  const { similarity, pairs, unmatchedReferences, unmatchedGenerated } = matches;
  const prefix = previewPrefix(ctx, "match");
  ctx.show({
    match: [
      {
        references: await facesShown(ctx, `${prefix}-references`, similarity.references),
        generated: await facesShown(ctx, `${prefix}-picture`, similarity.generated),
        cosine: rowsOf(similarity.values),
        distances: similarity.distances ? rowsOf(similarity.distances) : null,
        costs: rowsOf(costs),
        threshold,
        gate,
        byPlace: byPlace ?? null,
        pairs: pairs.map(({ reference, generated, similarity: cosine, accepted }) => ({ reference, generated, cosine, accepted })),
        unmatchedReferences,
        unmatchedGenerated,
      },
    ],
  });
}

/** Only pictures with faces in the match, and one even without any: there is something to look at then too. */
async function facesShown(ctx: NodeContext, prefix: string, { faces, source }: Embeddings): Promise<unknown> {
  const used = [...new Set(source.map((s) => s.image))].sort((a, b) => a - b);
  const shown = used.length > 0 ? used : faces.images.shape[0] ? [0] : [];
  return {
    ...(await savePreviews(ctx, prefix, faces.images, shown)),
    faces: source.map(({ image, face }) => {
      const found = faces.faces[image]?.[face];
      return { image: shown.indexOf(image), box: [...(found?.box ?? [0, 0, 0, 0])], score: found?.score ?? 0 };
    }),
  };
}

/** [M, N] as M lists of N. */
function rowsOf({ shape: [rows = 0, columns = 0], data }: Tensor<"float64">): number[][] {
  return Array.from({ length: rows }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]);
}
