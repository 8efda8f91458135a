import { defineNode, input } from "../../engine/node/define-node.ts";
import { METRICS, SIMILARITY } from "../shared/contracts/sockets.ts";

export default defineNode({
  type: "CountAccuracy",
  version: "1.1.0",
  category: "evaluate",
  summary: "Whether as many people were drawn as were asked for, with both counts.",
  inputs: { similarity: input(SIMILARITY) },
  outputs: { METRICS },
  cache: "pure",
  run({ similarity }, ctx) {
    const [wanted = 0, found = 0] = similarity.values.shape;
    const values = { count_accuracy: wanted === found ? 1 : 0, count_error: found - wanted, faces_wanted: wanted, faces_found: found };
    for (const [name, value] of Object.entries(values)) ctx.score(name, value);
    return { METRICS: { values } };
  },
});
