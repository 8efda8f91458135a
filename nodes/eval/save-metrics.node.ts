import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { METRICS } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "SaveMetrics",
  version: "1.0.0",
  category: "evaluate",
  summary: "Puts metrics into one table, shows it and saves it as JSON.",
  inputs: {
    metrics_1: input(METRICS),
    filename: widget(
      z
        .string()
        .regex(/^[\w-]+$/, "letters, digits, - and _ only")
        .default("metrics"),
      { tooltip: "Saved as FILENAME.json." },
    ),
  },
  outputs: { METRICS },
  cache: "never",
  isOutput: true,
  variadic: { prefix: "metrics_", socket: METRICS },
});
