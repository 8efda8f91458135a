import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { FaceEncoder, Reward } from "../shared/contracts/modules.ts";
import { scaledFace } from "../shared/faces/scaled-face.ts";
import { buildSimilarity } from "../shared/matching/similarity.ts";
import { constantOf } from "../shared/rewards/constant-of.ts";
import { buildFaceVectors, cropConstants } from "./face-vectors.ts";
import declaration from "./identity-loss.node.ts";
import { type Against, peopleOf, targetOf } from "./people.ts";

export interface IdentityLossOptions {
  readonly against: Against;
  readonly cap: number;
  /** Weight of the contrastive term; 0 = none. */
  readonly infoNce: number;
  readonly temperature: number;
}

/**
 * The identity loss of WithAnyone (arXiv 2510.14975), as a reward: the picture is cropped at the landmarks of the ground-truth
 * picture, so it needs no detector, holds at every noise level, and locks everyone to their place:
 * mean_k min(cos(ψ(crop_k), person_k), cap) − w · mean_j −log softmax_k(cos(person_k, ψ(crop_j))/τ)[j]. The negatives of the second
 * term are the other people of the same picture (the original draws 4096 from a pool).
 */
export function identityReward(encoder: FaceEncoder, { against, cap, infoNce, temperature }: IdentityLossOptions): Reward {
  return {
    id: `identity:${JSON.stringify([against, cap, infoNce, temperature])}:${encoder.id}`,
    name: "identity",
    async observe(image, context) {
      const target = targetOf(context);
      const people = await peopleOf(context, encoder, against);
      if (target.faces.length !== people.count)
        throw new AppError("REWARD_TARGET", `the target shows ${target.faces.length} faces, but there are ${people.count} references`, {
          hint: "face k of the target must be the person of reference k",
        });
      const faces = target.faces.map((face) => scaledFace(face, target.image, image));
      const [, height = 0, width = 0] = image.shape;
      const { constants, structure } = cropConstants(encoder, faces, people.count, [height, width]);
      return {
        structure,
        constants: { ...constants, people: f32([people.count, encoder.dim], people.rows) },
        info: { people: people.count },
      };
    },
    build(b, image, constants) {
      const people = constantOf(constants, "people");
      const [n = 1] = people.shape;
      const similarity = buildSimilarity(b, people, buildFaceVectors(b, encoder, image, constants), encoder.comparison);
      const own = b.constant(
        f32(
          [n, n],
          Float32Array.from({ length: n * n }, (_, at) => (Math.floor(at / n) === at % n ? 1 / n : 0)),
        ),
      );
      const cosine = b.sum(b.mul(cap < 1 ? b.min(similarity, cap) : similarity, own), [], false);
      if (infoNce === 0) return { reward: cosine, parts: { cosine } };
      const info_nce = b.neg(b.sum(b.mul(b.log(b.softmax(b.div(similarity, temperature), 0)), own), [], false));
      return { reward: b.sub(cosine, b.mul(info_nce, infoNce)), parts: { cosine, info_nce } };
    },
  };
}

export default implementNode(declaration, {
  run: ({ face_encoder, against, cap, info_nce, temperature }) => ({
    REWARD: identityReward(face_encoder, { against, cap, infoNce: info_nce, temperature }),
  }),
});
