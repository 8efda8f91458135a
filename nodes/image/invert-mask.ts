import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import declaration from "./invert-mask.node.ts";

export default implementNode(declaration, {
  run: ({ mask }) => ({
    MASK: f32(
      mask.shape,
      mask.data.map((x) => 1 - x),
    ),
  }),
});
