import { implementNode } from "../../engine/node/define-node.ts";
import { mimr } from "../shared/matching/mimr-value.ts";
import declaration from "./mimr.node.ts";

export default implementNode(declaration, {
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
