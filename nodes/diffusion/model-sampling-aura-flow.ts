import { implementNode } from "../../engine/node/define-node.ts";
import { modelSampling } from "../shared/diffusion/model-sampling.ts";
import declaration from "./model-sampling-aura-flow.node.ts";

export default implementNode(declaration, {
  run: ({ model, shift }) => ({ MODEL: model.withSampling({ sampling: modelSampling(shift) }) }),
});
