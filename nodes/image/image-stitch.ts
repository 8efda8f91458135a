import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32, type Tensor } from "../../engine/tensor/tensor.ts";
import type { Image } from "../shared/contracts/data.ts";
import { upscale } from "../shared/pictures/resize/upscale.ts";
import declaration from "./image-stitch.node.ts";

const COLORS = {
  white: [1, 1, 1],
  black: [0, 0, 0],
  red: [1, 0, 0],
  green: [0, 1, 0],
  blue: [0, 0, 1],
} as const;

export default implementNode(declaration, {
  run({ image1, direction, match_image_size, spacing_width, spacing_color, image2 }) {
    if (!image2) return { IMAGE: image1 };
    const across = direction === "right" || direction === "left";
    const [b1 = 0, h1 = 0, w1 = 0, c1 = 0] = image1.shape;
    const [b2 = 0, h2 = 0, w2 = 0, c2 = 0] = image2.shape;
    if (c1 !== 3 || c2 !== 3 || b1 * h1 * w1 === 0 || b2 * h2 * w2 === 0)
      throw new AppError("IMAGE_SHAPE", `two pictures [B, H, W, 3] are wanted, got [${image1.shape}] and [${image2.shape}]`);
    const scaled = across
      ? { width: Math.max(1, Math.trunc(h1 * (w2 / h2))), height: h1 }
      : { width: w1, height: Math.max(1, Math.trunc(w1 / (w2 / h2))) };
    const second = match_image_size ? upscale(image2, scaled, "lanczos", "disabled") : image2;
    const [first, last] = direction === "right" || direction === "down" ? [image1, second] : [second, image1];
    const gap = spacing_width + (spacing_width % 2);
    return { IMAGE: join(first, last, across, gap, COLORS[spacing_color]) };
  },
});

/** Both pictures on one canvas, each centred across the other direction; a shorter batch repeats its last picture. */
function join(first: Image, last: Image, across: boolean, gap: number, color: readonly number[]): Tensor<"float32"> {
  const [b1 = 0, h1 = 0, w1 = 0] = first.shape;
  const [b2 = 0, h2 = 0, w2 = 0] = last.shape;
  const batch = Math.max(b1, b2);
  const height = across ? Math.max(h1, h2) : h1 + gap + h2;
  const width = across ? w1 + gap + w2 : Math.max(w1, w2);
  const out = new Float32Array(batch * height * width * 3);
  const paste = (image: Image, b: number, top: number, left: number): void => {
    const [count = 1, h = 0, w = 0] = image.shape;
    for (let y = 0; y < h; y++) {
      const from = (Math.min(b, count - 1) * h + y) * w * 3;
      out.set(image.data.subarray(from, from + w * 3), ((b * height + top + y) * width + left) * 3);
    }
  };
  const spacing = f32(across ? [1, height, gap, 3] : [1, gap, width, 3], new Float32Array((across ? height : width) * gap * 3));
  for (let i = 0; i < spacing.data.length; i++) spacing.data[i] = color[i % 3] ?? 0;
  const centre = (room: number, size: number) => Math.floor((room - size) / 2);
  for (let b = 0; b < batch; b++) {
    paste(first, b, across ? centre(height, h1) : 0, across ? 0 : centre(width, w1));
    paste(spacing, b, across ? 0 : h1, across ? w1 : 0);
    paste(last, b, across ? centre(height, h2) : h1 + gap, across ? w1 + gap : centre(width, w2));
  }
  return f32([batch, height, width, 3], out);
}
