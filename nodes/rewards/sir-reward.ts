import { implementNode } from "../../engine/node/define-node.ts";
import { SIR_AS_MIMR } from "../shared/matching/mimr-value.ts";
import { matchingReward } from "./matching-reward.ts";
import declaration from "./sir-reward.node.ts";

export default implementNode(declaration, {
  run: ({ face_detector, face_encoder, cap, against, max_faces }) => ({
    REWARD: matchingReward("sir", face_detector, face_encoder, {
      mimr: { ...SIR_AS_MIMR, cap },
      against,
      layoutWeight: 0,
      maxFaces: max_faces,
    }),
  }),
});
