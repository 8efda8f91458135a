import { declareNode, input } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "FluxKontextImageScale",
  version: "1.0.0",
  category: "advanced/conditioning/flux",
  summary: "Resizes a picture to that of 17 sizes of about a megapixel whose aspect is nearest, cutting the rest.",
  inputs: { image: input(IMAGE) },
  outputs: { IMAGE },
  cache: "pure",
});
