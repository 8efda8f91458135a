import type { Tensor } from "../../../../engine/tensor/tensor.ts";
import { pillowResize } from "./pillow.ts";
import type { PictureSize } from "./size.ts";

const A = -0.5;
const BICUBIC = {
  support: 2,
  weight(distance: number): number {
    const x = Math.abs(distance);
    if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
  },
};

/**
 * Pillow's BICUBIC with antialiasing, bit for bit (see {@link pillowResize}): what Hugging Face's picture processors use.
 * @param image [B, H, W, C] @returns [B, height, width, C] @throws AppError IMAGE_SHAPE, IMAGE_SIZE
 */
export function bicubicResize(image: Tensor<"float32">, size: PictureSize): Tensor<"float32"> {
  return pillowResize(image, size, BICUBIC);
}
