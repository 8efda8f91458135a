import type { Tensor } from "../../../../engine/tensor/tensor.ts";
import { separableResize, type Taps } from "./separable.ts";
import type { PictureSize } from "./size.ts";

const f = Math.fround;

/** Two neighbours; positions in float32, as torch computes them. */
function taps(from: number, to: number): Taps {
  const index = new Int32Array(2 * to);
  const weight = new Float32Array(2 * to);
  const scale = f(from / to);
  for (let i = 0; i < to; i++) {
    const at = Math.max(0, f(f(scale * (i + 0.5)) - 0.5));
    const first = Math.min(Math.floor(at), from - 1);
    const rest = Math.min(1, f(at - first));
    index[2 * i] = first;
    index[2 * i + 1] = Math.min(first + 1, from - 1);
    weight[2 * i] = 1 - rest;
    weight[2 * i + 1] = rest;
  }
  return { count: 2, index, weight };
}

/**
 * torch `F.interpolate(mode="bilinear", align_corners=False)`, without antialiasing: two neighbours each way, also when shrinking.
 * @param image [B, H, W, C] @returns [B, height, width, C] @throws AppError IMAGE_SHAPE, IMAGE_SIZE
 */
export function bilinearResize(image: Tensor<"float32">, size: PictureSize): Tensor<"float32"> {
  return separableResize(image, size, taps);
}
