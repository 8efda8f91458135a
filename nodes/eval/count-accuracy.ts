import { defineNode, input } from "../../engine/node/define-node.ts";
import { METRICS, SIMILARITY } from "../shared/contracts/sockets.ts";

export default defineNode({
  type: "CountAccuracy",
  version: "1.0.0",
  category: "evaluate",
  summary: "Whether as many people were drawn as were asked for.",
  inputs: { similarity: input(SIMILARITY) },
  outputs: { METRICS },
  cache: "pure",
  run({ similarity }, ctx) {
    const [wanted = 0, found = 0] = similarity.values.shape;
    const values = { count_accuracy: wanted === found ? 1 : 0, count_error: found - wanted };
    ctx.score("count_accuracy", values.count_accuracy);
    ctx.score("count_error", values.count_error);
    return { METRICS: { values, details: { wanted, found } } };
  },
});
