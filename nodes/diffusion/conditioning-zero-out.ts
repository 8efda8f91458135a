import { implementNode } from "../../engine/node/define-node.ts";
import { zerosTensor } from "../../engine/tensor/tensor.ts";
import declaration from "./conditioning-zero-out.node.ts";

export default implementNode(declaration, {
  run: ({ conditioning }) => ({ CONDITIONING: { ...conditioning, embeds: zerosTensor("float32", conditioning.embeds.shape) } }),
});
