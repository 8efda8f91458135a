import { declareNode, input, optional } from "../../engine/node/define-node.ts";
import { FACES, FLOAT, IMAGE, METRICS, REWARD } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "EvaluateReward",
  version: "1.0.0",
  category: "rewards",
  summary: "What a reward gives for a picture, with all its parts: try a reward before training on it.",
  inputs: {
    reward: input(REWARD),
    image: input(IMAGE, "Of several pictures, the mean is given."),
    references: optional(FACES, "The people who should appear: every face of these pictures."),
    target: optional(FACES, "The true picture: face k is the person of reference k, in place."),
  },
  outputs: { FLOAT, METRICS },
  cache: "pure",
});
