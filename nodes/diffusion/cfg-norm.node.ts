import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { MODEL } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "CFGNorm",
  version: "1.0.1",
  category: "advanced/guidance",
  summary: "Keeps KSampler's guided prediction from growing beyond the conditional one, per latent pixel.",
  inputs: {
    model: input(MODEL),
    strength: widget(z.number().min(0).max(100).default(1), { step: 0.01 }),
    pre_cfg: widget(z.boolean().default(false), { tooltip: "Not supported: must be off." }),
  },
  check: ({ pre_cfg }) =>
    pre_cfg
      ? [
          {
            input: "pre_cfg",
            message: "normalising before guidance is not supported, and would give another picture",
            hint: "turn pre_cfg off",
          },
        ]
      : [],
  // ComfyUI's output is called patched_model.
  outputs: { patched_model: MODEL },
  cache: "pure",
  stage: "experimental",
  isCheap: true,
});
