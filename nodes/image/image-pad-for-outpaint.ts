import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import declaration from "./image-pad-for-outpaint.node.ts";

export default implementNode(declaration, {
  run({ image, left, top, right, bottom, feathering }) {
    const [batch = 0, h = 0, w = 0, channels = 0] = image.shape;
    const height = h + top + bottom;
    const width = w + left + right;
    const out = new Float32Array(batch * height * width * channels).fill(0.5);
    for (let b = 0; b < batch; b++)
      for (let y = 0; y < h; y++) {
        const from = (b * h + y) * w * channels;
        out.set(image.data.subarray(from, from + w * channels), ((b * height + y + top) * width + left) * channels);
      }
    const mask = new Float32Array(height * width).fill(1);
    const fades = feathering > 0 && feathering * 2 < h && feathering * 2 < w;
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++) {
        // Only borders that were added fade.
        const near = Math.min(top > 0 ? y : h, bottom > 0 ? h - y : h, left > 0 ? x : w, right > 0 ? w - x : w);
        mask[(y + top) * width + x + left] = fades && near < feathering ? ((feathering - near) / feathering) ** 2 : 0;
      }
    return { IMAGE: f32([batch, height, width, channels], out), MASK: f32([1, height, width], mask) };
  },
});
