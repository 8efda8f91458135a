import { declareNode, widget } from "../../engine/node/define-node.ts";
import { NOISE } from "../shared/contracts/sockets.ts";
import { seedSchema } from "../shared/diffusion/seed-schema.ts";

export default declareNode({
  type: "RandomNoise",
  version: "1.0.0",
  category: "sampling/custom_sampling/noise",
  summary: "The noise of a seed: torch's CPU generator, as in ComfyUI.",
  inputs: { noise_seed: widget(seedSchema, { controlAfterGenerate: true }) },
  outputs: { NOISE },
  cache: "pure",
  isCheap: true,
});
