import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { FACE_DETECTOR, FACE_ENCODER, REWARD } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "MIMRReward",
  version: "1.0.0",
  category: "rewards",
  summary: "Multi-identity matching reward of UMO: matched faces should look like their person, all others should not.",
  inputs: {
    face_detector: input(FACE_DETECTOR),
    face_encoder: input(FACE_ENCODER),
    norm: widget(z.enum(["umo", "balanced"]).default("balanced"), {
      tooltip: "umo: as published, for parity. balanced: missing people cost their share, and the scale does not fall with their number.",
    }),
    lambda1: widget(z.number().min(0).max(10).default(1), { tooltip: "Weight of matched pairs.", step: 0.1 }),
    lambda2: widget(z.number().min(-10).max(0).default(-1), { tooltip: "Weight of all other pairs.", step: 0.1 }),
    cap: widget(z.number().min(0).max(1).default(1), {
      tooltip: "Matched similarities above it earn nothing more; 0.5 to 0.65 keeps faces from becoming copies. 1 = no cap.",
      step: 0.05,
    }),
    clamp_negative: widget(z.boolean().default(false), { tooltip: "Unmatched similarities below 0 count as 0." }),
    against: widget(z.enum(["refs", "target", "both"]).default("refs"), {
      tooltip: "Compare with the reference pictures, with the people in the training target, or with both.",
    }),
    layout_weight: widget(z.number().min(0).max(100).default(0), {
      tooltip: "μ: cost of standing one diagonal away from the place in the target, in the assignment. Makes swapped people score badly.",
      step: 0.05,
    }),
    max_faces: widget(z.number().int().min(1).max(16).default(4), {
      tooltip: "Faces looked at; of more, the largest. Fixes the size of the graph.",
    }),
    min_size: widget(z.number().int().min(0).max(4096).default(0), { tooltip: "Faces smaller than this are passed over, in pixels." }),
  },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
});
