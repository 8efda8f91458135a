import { implementNode } from "../../engine/node/define-node.ts";
import { zerosTensor } from "../../engine/tensor/tensor.ts";
import declaration from "./empty-sd3-latent-image.node.ts";

export default implementNode(declaration, {
  run: ({ width, height, batch_size }) => ({ LATENT: { samples: zerosTensor("float32", [batch_size, 16, height / 8, width / 8]) } }),
});
