import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { FACE_DETECTOR, FACE_ENCODER, REWARD } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "LayoutReward",
  version: "1.0.0",
  category: "rewards",
  summary: "1 when everyone stands where the target shows them. No gradient: for gates and logs.",
  inputs: {
    face_detector: input(FACE_DETECTOR),
    face_encoder: input(FACE_ENCODER),
    max_faces: widget(z.number().int().min(1).max(16).default(4), { tooltip: "Faces looked at; of more, the largest." }),
  },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
});
