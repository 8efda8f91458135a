import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { FACE_DETECTOR, FACE_ENCODER, REWARD } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "SIRReward",
  version: "1.0.0",
  category: "rewards",
  summary: "Single-identity reward: each person's matched face should look like them; nothing pushes the others apart.",
  inputs: {
    face_detector: input(FACE_DETECTOR),
    face_encoder: input(FACE_ENCODER),
    cap: widget(z.number().min(0).max(1).default(1), { tooltip: "Similarities above it earn nothing more. 1 = no cap.", step: 0.05 }),
    against: widget(z.enum(["refs", "target", "both"]).default("refs"), {
      tooltip: "Compare with the reference pictures, with the people in the training target, or with both.",
    }),
    max_faces: widget(z.number().int().min(1).max(16).default(4), { tooltip: "Faces looked at; of more, the largest." }),
  },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
});
