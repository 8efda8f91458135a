import { implementNode } from "../../engine/node/define-node.ts";
import { zerosTensor } from "../../engine/tensor/tensor.ts";
import declaration from "./empty-latent-image.node.ts";

export default implementNode(declaration, {
  run({ width, height, batch_size }) {
    const side = (pixels: number): number => Math.floor(pixels / 8);
    return { LATENT: { samples: zerosTensor("float32", [batch_size, 4, side(height), side(width)]) } };
  },
});
