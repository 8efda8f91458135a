import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { DATASET } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "MixDatasets",
  version: "1.0.0",
  category: "data",
  summary: "One dataset with a share of another mixed in, such as photographs with drawn scenes. What is held out comes from the first.",
  inputs: {
    dataset: input(DATASET),
    other: input(DATASET),
    share: widget(z.number().min(0).max(0.95).default(0.25), {
      tooltip: "Of the mixture's training examples that come from the other",
      step: 0.05,
    }),
  },
  outputs: { dataset: DATASET },
  cache: "pure",
});
