import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { FLOAT, MATCHES, METRICS } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "MIMR",
  version: "1.0.0",
  category: "matching/score",
  summary: "Multi-identity matching reward of UMO: matched similarities count for, all others against.",
  inputs: {
    matches: input(MATCHES),
    norm: widget(z.enum(["umo", "balanced"]).default("umo"), {
      tooltip: "umo: as published, mean over all cells. balanced: mean over references plus mean over unmatched cells.",
    }),
    lambda1: widget(z.number().min(0).max(10).default(1), { step: 0.1 }),
    lambda2: widget(z.number().min(-10).max(0).default(-1), { step: 0.1 }),
    cap: widget(z.number().min(0).max(1).default(1), {
      tooltip: "Matched similarities above it earn nothing more. 1 = no cap.",
      step: 0.05,
    }),
    clamp_negative: widget(z.boolean().default(false), { tooltip: "Unmatched similarities below 0 count as 0." }),
  },
  outputs: { FLOAT, METRICS },
  cache: "pure",
});
