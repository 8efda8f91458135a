import { implementNode } from "../../engine/node/define-node.ts";
import { swapRateValue } from "../shared/metrics/swap-rate-value.ts";
import declaration from "./swap-rate.node.ts";

export default implementNode(declaration, {
  run({ matches, target }, ctx) {
    const { rate, swapped, compared } = swapRateValue(matches, target);
    if (rate !== undefined) ctx.score("swap_rate", rate);
    return { METRICS: { values: rate === undefined ? {} : { swap_rate: rate }, details: { swapped, compared } } };
  },
});
