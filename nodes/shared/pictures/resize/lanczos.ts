import type { Tensor } from "../../../../engine/tensor/tensor.ts";
import { pillowResize } from "./pillow.ts";
import type { PictureSize } from "./size.ts";

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}
const LANCZOS = { support: 3, weight: (x: number) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) };

/**
 * Pillow's LANCZOS, bit for bit (see {@link pillowResize}).
 * @param image [B, H, W, C] @returns [B, height, width, C] @throws AppError IMAGE_SHAPE, IMAGE_SIZE
 */
export function lanczosResize(image: Tensor<"float32">, size: PictureSize): Tensor<"float32"> {
  return pillowResize(image, size, LANCZOS);
}
