import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { FACE_ENCODER, REWARD } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "IdentityLoss",
  version: "1.0.0",
  category: "rewards",
  summary: "Identity at the places of the training target: no detector, no matching, any noise level.",
  inputs: {
    face_encoder: input(FACE_ENCODER),
    against: widget(z.enum(["target", "refs", "both"]).default("target"), {
      tooltip: "Compare with the people in the training target, with the reference pictures, or with both.",
    }),
    cap: widget(z.number().min(0).max(1).default(1), { tooltip: "Similarities above it earn nothing more. 1 = no cap.", step: 0.05 }),
    info_nce: widget(z.number().min(0).max(10).default(0), { tooltip: "Weight of telling the people of one picture apart.", step: 0.05 }),
    temperature: widget(z.number().min(0.02).max(10).default(0.07), { tooltip: "τ of that term.", step: 0.01 }),
  },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
});
