import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { PREFERENCES } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "RealVersusGenerated",
  version: "1.0.0",
  category: "realism",
  summary: "Two folders of pictures, real ones and generated ones, as comparisons: every real one is better than every generated one.",
  inputs: {
    real: widget(z.string().min(1).max(1024).default("real"), { tooltip: "A folder below the input folder, with all below it" }),
    generated: widget(z.string().max(1024).default("generated"), {
      tooltip: "Empty: real ones are compared only with worsened versions of themselves",
    }),
    held_out: widget(z.number().min(0).max(0.9).default(0.25), {
      tooltip: "Share of the pictures that is not trained on. Pictures of one folder stay together where there are several.",
      step: 0.05,
    }),
  },
  outputs: { preferences: PREFERENCES },
  // Pictures may change while the folders' names stay.
  cache: "never",
});
