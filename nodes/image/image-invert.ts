import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import declaration from "./image-invert.node.ts";

export default implementNode(declaration, {
  run: ({ image }) => ({
    IMAGE: f32(
      image.shape,
      image.data.map((x) => 1 - x),
    ),
  }),
});
