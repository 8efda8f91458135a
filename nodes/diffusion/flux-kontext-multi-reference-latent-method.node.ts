import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { CONDITIONING } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "FluxKontextMultiReferenceLatentMethod",
  version: "1.0.0",
  category: "advanced/conditioning/flux",
  summary: "How reference pictures are placed beside the target; index_timestep_zero is what 2511 was trained with.",
  inputs: {
    conditioning: input(CONDITIONING),
    reference_latents_method: widget(z.enum(["offset", "index", "uxo/uno", "index_timestep_zero"]).default("offset")),
  },
  outputs: { CONDITIONING },
  cache: "pure",
  stage: "experimental",
});
