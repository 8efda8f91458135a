import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { REWARD } from "../shared/contracts/sockets.ts";

/** The statistics are frozen, not running: a resumed run must give the same numbers, and a moving zero hides progress. */
export default declareNode({
  type: "NormalizeReward",
  version: "1.0.0",
  category: "rewards/combine",
  summary: "(R - mean)/std with fixed statistics, so that rewards of different scale can be added. The raw value is logged beside it.",
  inputs: {
    reward: input(REWARD),
    mean: widget(z.number().default(0), { tooltip: "Mean over pictures of the model before training.", step: 0.05 }),
    std: widget(z.number().positive().default(1), { tooltip: "Standard deviation over the same pictures.", step: 0.05 }),
  },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
});
