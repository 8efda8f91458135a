import { z } from "zod";
import { defineNode, input, widget } from "../../engine/node/define-node.ts";
import { FLOAT, MATCHES, METRICS } from "../shared/contracts/sockets.ts";
import { mimr } from "../shared/matching/mimr-value.ts";

export default defineNode({
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
  run({ matches, norm, lambda1, lambda2, cap, clamp_negative }, ctx) {
    const { values } = matches.similarity;
    const [m = 0, n = 0] = values.shape;
    const score = mimr(values.data, m, n, matches.pairs, { norm, lambda1, lambda2, cap, clampNegative: clamp_negative });
    ctx.score(`mimr_${norm}`, score.reward);
    return {
      FLOAT: score.reward,
      METRICS: {
        values: { [`mimr_${norm}`]: score.reward, [`mimr_${norm}_matched`]: score.matched, [`mimr_${norm}_unmatched`]: score.unmatched },
        details: { shape: [m, n], similarity: [...values.data], contribution: [...score.cells], pairs: matches.pairs },
      },
    };
  },
});
