import { z } from "zod";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { FACES, FLOAT, IMAGE, METRICS, REWARD } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "ScorePicture",
  version: "1.0.0",
  category: "rewards",
  summary: "Shows what a reward gives for one picture, its parts, and where in the picture it would push: a map of its gradient.",
  inputs: {
    reward: input(REWARD),
    image: input(IMAGE, "The first picture of a batch is scored."),
    references: optional(FACES, "The people who should appear: every face of these pictures."),
    target: optional(FACES, "The true picture: face k is the person of reference k, in place."),
    gradient: widget(z.boolean().default(true), { tooltip: "Also differentiate the reward by every pixel." }),
  },
  outputs: { FLOAT, METRICS, gradient: IMAGE },
  cache: "pure",
  isOutput: true,
});
