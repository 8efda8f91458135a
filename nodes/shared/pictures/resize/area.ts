import { f32, type Tensor } from "../../../../engine/tensor/tensor.ts";
import { checkedResize, type PictureSize } from "./size.ts";

/**
 * Mean over the pixels each output pixel touches, whole pixels only: torch `adaptive_avg_pool2d`, which is
 * `F.interpolate(mode="area")`. Rows ⌊i·H/H'⌋ … ⌈(i+1)·H/H'⌉−1, columns likewise; enlarging gives blocks.
 * @param image [B, H, W, C] @returns [B, height, width, C] @throws AppError IMAGE_SHAPE, IMAGE_SIZE
 */
export function areaResize(image: Tensor<"float32">, size: PictureSize): Tensor<"float32"> {
  const { batch, h, w, channels, shape } = checkedResize(image, size);
  const { width, height } = size;
  const { data } = image;
  const out = new Float32Array(batch * height * width * channels);
  const left = Array.from({ length: width }, (_, x) => Math.floor((x * w) / width));
  const right = Array.from({ length: width }, (_, x) => Math.ceil(((x + 1) * w) / width));
  // Column sums of the rows in one window, then window sums: each input number is added once per row of output.
  const sums = new Float64Array(w * channels);
  let at = 0;
  for (let b = 0; b < batch; b++)
    for (let y = 0; y < height; y++) {
      const top = Math.floor((y * h) / height);
      const bottom = Math.ceil(((y + 1) * h) / height);
      sums.fill(0);
      for (let row = top; row < bottom; row++) {
        const from = (b * h + row) * w * channels;
        for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + (data[from + i] ?? 0);
      }
      for (let x = 0; x < width; x++) {
        const [x0, x1] = [left[x] ?? 0, right[x] ?? 0];
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let i = x0 * channels + c; i < x1 * channels; i += channels) sum += sums[i] ?? 0;
          out[at++] = sum / ((bottom - top) * (x1 - x0));
        }
      }
    }
  return f32(shape, out);
}
