import { implementNode } from "../../engine/node/define-node.ts";
import { matchingReward } from "./matching-reward.ts";
import declaration from "./mimr-reward.node.ts";

export default implementNode(declaration, {
  run: ({ face_detector, face_encoder, norm, lambda1, lambda2, cap, clamp_negative, against, layout_weight, max_faces, min_size }) => ({
    REWARD: matchingReward(`mimr_${norm}`, face_detector, face_encoder, {
      mimr: { norm, lambda1, lambda2, cap, clampNegative: clamp_negative },
      against,
      layoutWeight: layout_weight,
      maxFaces: max_faces,
      minSize: min_size,
    }),
  }),
});
