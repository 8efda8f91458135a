import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { CONDITIONING, GUIDER, MODEL } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "CFGGuider",
  version: "1.0.0",
  category: "sampling/custom_sampling/guiders",
  summary: "A model with a prompt and what to stay away from.",
  inputs: {
    model: input(MODEL),
    positive: input(CONDITIONING),
    negative: input(CONDITIONING),
    cfg: widget(z.number().min(0).max(100).default(8), { step: 0.1, tooltip: "At 1 the negative prompt is not evaluated." }),
  },
  outputs: { GUIDER },
  cache: "pure",
  isCheap: true,
});
