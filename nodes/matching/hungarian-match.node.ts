import { z } from "zod";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { FACES, FLOAT, MATCHES, SIMILARITY } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "HungarianMatch",
  version: "1.1.0",
  category: "matching",
  summary: "Assigns generated faces to references so that the total similarity is largest.",
  inputs: {
    similarity: input(SIMILARITY),
    layout_weight: widget(z.number().min(0).max(100).default(0), {
      tooltip: "μ: cost of standing one picture diagonal away from the intended place. 0 = identity alone decides.",
      step: 0.05,
    }),
    accept: widget(z.enum(["encoder", "custom", "all"]).default("encoder"), {
      tooltip: "Which threshold a pair must pass to be accepted: the encoder's own, the one below, or none.",
    }),
    threshold: widget(z.number().min(-1).max(10).default(0.5), {
      tooltip: "For accept = custom: a smallest cosine, or a largest distance, as the encoder compares.",
      step: 0.01,
    }),
    gate: widget(z.boolean().default(false), {
      tooltip: "Forbid pairs that fail the threshold, instead of assigning and marking them.",
    }),
    target: optional(
      FACES,
      "Intended places: face k is where reference k should stand. Default: where it stood, if all references share a picture.",
    ),
  },
  outputs: { MATCHES, margin: FLOAT },
  cache: "pure",
});
