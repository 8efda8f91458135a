import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { MODEL } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "ModelSamplingAuraFlow",
  version: "1.0.0",
  category: "advanced/model",
  summary: "Sets how far KSampler's noise levels are shifted upwards: 3 for Qwen-Image-Edit, 3.1 for 2511.",
  inputs: {
    model: input(MODEL),
    shift: widget(z.number().min(0).max(100).default(1.73), { step: 0.01 }),
    sampling: widget(z.enum(["flow"]).default("flow"), {
      tooltip: "Newer ComfyUI also has img_to_img_velocity, for models such as Marigold's, which are not here.",
    }),
  },
  outputs: { MODEL },
  cache: "pure",
  isCheap: true,
});
