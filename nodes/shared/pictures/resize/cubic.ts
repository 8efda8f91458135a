import type { Tensor } from "../../../../engine/tensor/tensor.ts";
import { separableResize, type Taps } from "./separable.ts";
import type { PictureSize } from "./size.ts";

const f = Math.fround;
/** torch's cubic coefficient; Pillow's is -0.5. */
const A = -0.75;

/** Keys' cubic convolution kernel at distance x ≥ 0 (IEEE TASSP 29, 1981, eq. 15). */
function kernel(x: number): number {
  if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
}

function taps(from: number, to: number): Taps {
  const index = new Int32Array(4 * to);
  const weight = new Float32Array(4 * to);
  const scale = f(from / to);
  for (let i = 0; i < to; i++) {
    const at = f(f(scale * (i + 0.5)) - 0.5);
    const first = Math.floor(at);
    const rest = f(at - first);
    for (let t = 0; t < 4; t++) {
      index[4 * i + t] = Math.min(from - 1, Math.max(0, first - 1 + t));
      weight[4 * i + t] = kernel(Math.abs(rest + 1 - t));
    }
  }
  return { count: 4, index, weight };
}

/**
 * torch `F.interpolate(mode="bicubic", align_corners=False)`, without antialiasing; overshoots are kept.
 * @param image [B, H, W, C] @returns [B, height, width, C] @throws AppError IMAGE_SHAPE, IMAGE_SIZE
 */
export function cubicResize(image: Tensor<"float32">, size: PictureSize): Tensor<"float32"> {
  return separableResize(image, size, taps);
}
