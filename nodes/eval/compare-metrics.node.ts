import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { METRICS } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "CompareMetrics",
  version: "1.1.0",
  category: "evaluate",
  summary:
    "Two sets of numbers side by side as a table. Where both measured the same examples, each change has its 95 % interval. The changes are also in run.json.",
  inputs: {
    before: input(METRICS),
    after: input(METRICS),
    title: widget(z.string().default("held out")),
  },
  outputs: {},
  cache: "never",
  isOutput: true,
});
