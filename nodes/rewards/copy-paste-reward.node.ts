import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { FACE_DETECTOR, FACE_ENCODER, REWARD } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "CopyPasteReward",
  version: "1.0.0",
  category: "rewards",
  summary:
    "Minus M_CP: 1 where faces are as in the true picture, -1 where they are copies of their reference. No gradient: to watch, for gates and logs.",
  inputs: {
    face_detector: input(FACE_DETECTOR),
    face_encoder: input(FACE_ENCODER),
    min_size: widget(z.number().int().min(0).max(4096).default(0), { tooltip: "Faces smaller than this are passed over, in pixels." }),
  },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
});
