import type { Tensor } from "../../../../engine/tensor/tensor.ts";
import { separableResize, type Taps } from "./separable.ts";
import type { PictureSize } from "./size.ts";

function taps(from: number, to: number): Taps {
  const scale = Math.fround(from / to);
  const index = Int32Array.from({ length: to }, (_, i) => Math.min(from - 1, Math.floor(Math.fround((i + 0.5) * scale))));
  return { count: 1, index, weight: new Float32Array(to).fill(1) };
}

/**
 * torch `F.interpolate(mode="nearest-exact")`: the pixel under the centre of the output pixel.
 * @param image [B, H, W, C] @returns [B, height, width, C] @throws AppError IMAGE_SHAPE, IMAGE_SIZE
 */
export function nearestExactResize(image: Tensor<"float32">, size: PictureSize): Tensor<"float32"> {
  return separableResize(image, size, taps);
}
