import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./ksampler-select.node.ts";

export default implementNode(declaration, {
  run: ({ sampler_name }) => ({ SAMPLER: sampler_name }),
});
