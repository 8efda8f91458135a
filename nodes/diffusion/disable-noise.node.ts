import { declareNode } from "../../engine/node/define-node.ts";
import { NOISE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "DisableNoise",
  version: "1.0.0",
  category: "sampling/custom_sampling/noise",
  summary: "No noise: a custom sampler continues from the latent as it is.",
  inputs: {},
  outputs: { NOISE },
  cache: "pure",
  isCheap: true,
});
