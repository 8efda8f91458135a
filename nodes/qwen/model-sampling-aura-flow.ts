import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./model-sampling-aura-flow.node.ts";

export default implementNode(declaration, {
  run: ({ model, shift }) => ({ MODEL: model.withSampling({ shift }) }),
});
