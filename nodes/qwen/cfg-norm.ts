import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./cfg-norm.node.ts";

export default implementNode(declaration, {
  run: ({ model, strength }) => ({ patched_model: model.withSampling({ cfgNorm: strength }) }),
});
