import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { FACE_DETECTOR, REALISM_SCORER, REWARD } from "../shared/contracts/sockets.ts";
import { FACES_FROM } from "../shared/realism/faces-to-judge.ts";

export default declareNode({
  type: "RealismReward",
  version: "1.1.0",
  category: "realism",
  summary:
    "How real faces look to a trained scorer, at native pixels: the mean over faces of its log odds, or of the probability of a real picture.",
  inputs: {
    scorer: input(REALISM_SCORER),
    face_detector: input(FACE_DETECTOR),
    read: widget(z.enum(["log_odds", "probability"]).default("log_odds"), {
      tooltip: "log_odds has a gradient everywhere; cap it with CapReward. A probability is bounded, and flat where the scorer is sure.",
    }),
    sigma_max: widget(z.number().min(0).max(1).default(1), {
      tooltip: "0 without a gradient where x0 was predicted at a higher noise level",
      step: 0.05,
    }),
    min_size: widget(z.number().int().min(24).max(4096).default(24), { tooltip: "Faces smaller than this are passed over, in pixels." }),
    max_faces: widget(z.number().int().min(1).max(16).default(4), { tooltip: "Faces looked at; of more, the largest." }),
    faces: widget(z.enum(FACES_FROM).default("detected"), { tooltip: "As found in the picture, or where the training target has them" }),
    refresh_every: widget(z.number().int().min(0).max(100_000).default(0), {
      tooltip:
        "Updates of a training after which the scorer takes a step of its own, with what the run draws as worse pictures; 0 = it stays as it is. Watch another one.",
    }),
    refresh_rate: widget(z.number().min(0).max(1).default(2e-4), { tooltip: "Learning rate of these steps", step: 1e-5 }),
    refresh_decay: widget(z.number().min(0).max(0.999999).default(0.9), {
      tooltip: "The reward is the running average of the scorer's weights, so that it does not chase the run",
    }),
    refresh_history: widget(z.number().int().min(1).max(4096).default(64), {
      tooltip: "Faces of earlier updates that are kept: half of the worse ones are theirs, so that old tricks do not pay again",
    }),
  },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
});
