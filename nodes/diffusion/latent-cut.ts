import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import declaration from "./latent-cut.node.ts";

export default implementNode(declaration, {
  run({ samples: latent, dim, index, amount }) {
    const { samples } = latent;
    const [batch = 0, channels = 0, h = 0, w = 0] = samples.shape;
    if (dim === "t") throw new AppError("LATENT_FRAMES", "this latent has no frames to cut", { hint: "cut along x or y" });
    const size = dim === "x" ? w : h;
    // As ComfyUI bounds it: a cut begins inside the latent and is at least one cell.
    const from = index >= 0 ? Math.min(index, size - 1) : Math.max(0, size + index);
    const length = Math.min(amount, size - from);
    const [top, left, rows, columns] = dim === "x" ? [0, from, h, length] : [from, 0, length, w];
    const out = new Float32Array(batch * channels * rows * columns);
    for (let plane = 0; plane < batch * channels; plane++)
      for (let y = 0; y < rows; y++) {
        const at = (plane * h + y + top) * w + left;
        out.set(samples.data.subarray(at, at + columns), (plane * rows + y) * columns);
      }
    return { LATENT: { ...latent, samples: f32([batch, channels, rows, columns], out) } };
  },
});
