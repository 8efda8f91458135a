import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./get-image-size.node.ts";

export default implementNode(declaration, {
  run({ image }) {
    const [batch_size = 0, height = 0, width = 0] = image.shape;
    return { width, height, batch_size };
  },
});
