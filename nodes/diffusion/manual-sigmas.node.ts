import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { SIGMAS } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "ManualSigmas",
  version: "1.0.0",
  category: "sampling/custom_sampling/sigmas",
  summary: "Noise levels as they are typed.",
  inputs: { sigmas: widget(z.string().max(10_000).default("1, 0.5"), { tooltip: "Numbers, in the order they are visited." }) },
  outputs: { SIGMAS },
  cache: "pure",
  isCheap: true,
});
