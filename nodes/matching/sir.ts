import { implementNode } from "../../engine/node/define-node.ts";
import { mimr, SIR_AS_MIMR } from "../shared/matching/mimr-value.ts";
import declaration from "./sir.node.ts";

export default implementNode(declaration, {
  run({ matches }, ctx) {
    const [m = 0, n = 0] = matches.similarity.values.shape;
    const sir = mimr(matches.similarity.values.data, m, n, matches.pairs, SIR_AS_MIMR).reward;
    ctx.score("sir", sir);
    return { FLOAT: sir, METRICS: { values: { sir }, details: { pairs: matches.pairs } } };
  },
});
