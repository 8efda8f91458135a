import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "Canny",
  version: "1.0.0",
  category: "image/preprocessors",
  summary: "Edges as white lines on black, for LoRAs that are steered by them.",
  inputs: {
    image: input(IMAGE),
    low_threshold: widget(z.number().min(0.01).max(0.99).default(0.4), {
      step: 0.01,
      tooltip: "An edge continues while it is stronger than this.",
    }),
    high_threshold: widget(z.number().min(0.01).max(0.99).default(0.8), {
      step: 0.01,
      tooltip: "An edge begins where it is stronger than this.",
    }),
  },
  outputs: { IMAGE },
  cache: "pure",
});
