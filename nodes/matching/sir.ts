import { defineNode, input } from "../../engine/node/define-node.ts";
import { FLOAT, MATCHES, METRICS } from "../shared/contracts/sockets.ts";
import { mimr, SIR_AS_MIMR } from "../shared/matching/mimr-value.ts";

export default defineNode({
  type: "SIR",
  version: "1.0.0",
  category: "matching/score",
  summary: "Single-identity reward: similarity of each reference with its matched face, averaged; a missing face counts 0.",
  inputs: { matches: input(MATCHES) },
  outputs: { FLOAT, METRICS },
  cache: "pure",
  run({ matches }, ctx) {
    const [m = 0, n = 0] = matches.similarity.values.shape;
    const sir = mimr(matches.similarity.values.data, m, n, matches.pairs, SIR_AS_MIMR).reward;
    ctx.score("sir", sir);
    return { FLOAT: sir, METRICS: { values: { sir }, details: { pairs: matches.pairs } } };
  },
});
