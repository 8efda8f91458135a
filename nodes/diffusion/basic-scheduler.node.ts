import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { MODEL, SIGMAS } from "../shared/contracts/sockets.ts";
import { SCHEDULERS } from "./sampling/schedulers.ts";

export default declareNode({
  type: "BasicScheduler",
  version: "1.0.0",
  category: "sampling/custom_sampling/schedulers",
  summary: "The noise levels that KSampler would visit.",
  inputs: {
    model: input(MODEL),
    scheduler: widget(z.enum(SCHEDULERS).default("simple")),
    steps: widget(z.int().min(1).max(10000).default(20)),
    denoise: widget(z.number().min(0).max(1).default(1), { step: 0.01 }),
  },
  outputs: { SIGMAS },
  cache: "pure",
});
