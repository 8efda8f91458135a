import { defineNode, input } from "../../engine/node/define-node.ts";
import { FACES, MATCHES, METRICS } from "../shared/contracts/sockets.ts";
import { swapRate } from "../shared/metrics/swap-rate.ts";

export default defineNode({
  type: "SwapRate",
  version: "1.0.0",
  category: "evaluate",
  summary: "Share of the people who stand in somebody else's place.",
  inputs: { matches: input(MATCHES), target: input(FACES, "Face k of the first picture is the place of reference k.") },
  outputs: { METRICS },
  cache: "pure",
  run({ matches, target }, ctx) {
    const { rate, swapped, compared } = swapRate(matches, target);
    if (rate !== undefined) ctx.score("swap_rate", rate);
    return { METRICS: { values: rate === undefined ? {} : { swap_rate: rate }, details: { swapped, compared } } };
  },
});
