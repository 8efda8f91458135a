import { type Tensor, tensor } from "../../engine/tensor/tensor.ts";
import type { FaceDetector, FaceEncoder, Reward } from "../shared/contracts/modules.ts";
import { buildMimr, type MimrOptions, mimrWeights } from "../shared/matching/mimr-value.ts";
import { buildSimilarity } from "../shared/matching/similarity.ts";
import { constantOf } from "../shared/rewards/constant-of.ts";
import { buildFaceVectors, cropConstants } from "./face-vectors.ts";
import { type MatchedFacesOptions, matchPicture } from "./matched-faces.ts";

export interface MatchingRewardOptions extends MatchedFacesOptions {
  readonly mimr: MimrOptions;
  /** Slots for faces in the graph: one graph serves every picture with the same number of people. */
  readonly maxFaces: number;
}

/**
 * SIR and MIMR as a differentiable reward. Detection, embedding and assignment happen in `observe`; in the graph the places
 * of the crops, the people's vectors and the weight of every cell are constants, and the gradient flows
 * reward → similarity → centring and length → encoder → crop → pixels. No face: skipped (the released code gives 0 without a
 * gradient). Memory of the crops grows with max_faces · size² · samples².
 */
export function matchingReward(name: string, detector: FaceDetector, encoder: FaceEncoder, options: MatchingRewardOptions): Reward {
  const { mimr, maxFaces: slots } = options;
  return {
    id: `${name}:${JSON.stringify(options)}:${detector.id}:${encoder.id}`,
    name,
    async observe(image, context) {
      const { mimr: _, ...detect } = options;
      const { faces, people, pairs, info } = await matchPicture(image, context, detector, encoder, detect);
      if (faces.length === 0) return { skip: "no face was found", structure: "", constants: {}, info };
      const [, height = 0, width = 0] = image.shape;
      const crops = cropConstants(encoder, faces, slots, [height, width]);
      const weights = mimrWeights(people.count, faces.length, pairs, mimr);
      return {
        structure: `${people.count} people, ${crops.structure}`,
        constants: {
          ...crops.constants,
          people: tensor("float32", [people.count, encoder.dim], Float32Array.from(people.rows)),
          matched: padColumns(weights.matched, people.count, faces.length, slots),
          unmatched: padColumns(weights.unmatched, people.count, faces.length, slots),
        },
        info,
      };
    },
    build(b, image, constants) {
      const vectors = buildFaceVectors(b, encoder, image, constants);
      const similarity = buildSimilarity(b, constantOf(constants, "people"), vectors, encoder.comparison);
      const weights = { matched: constantOf(constants, "matched"), unmatched: constantOf(constants, "unmatched") };
      const { reward, matched, unmatched } = buildMimr(b, similarity, weights, mimr);
      return { reward, parts: { matched, unmatched } };
    },
  };
}

/** [rows, columns] with zero columns up to `slots`. */
function padColumns(cells: Float64Array, rows: number, columns: number, slots: number): Tensor<"float32"> {
  const out = new Float32Array(rows * slots);
  for (let at = 0; at < cells.length; at++) out[Math.floor(at / columns) * slots + (at % columns)] = cells[at] ?? 0;
  return tensor("float32", [rows, slots], out);
}
