import { f32, type Tensor } from "../../../../engine/tensor/tensor.ts";
import { checkedResize, type PictureSize } from "./size.ts";

/** For each output position `count` input positions (within the picture) and their weights. */
export interface Taps {
  readonly count: number;
  readonly index: Int32Array;
  readonly weight: Float32Array;
}

/** One axis of a filter. @param from input length @param to output length */
export type TapsOf = (from: number, to: number) => Taps;

/** Resizes with the same filter across and then down, float32 throughout. @throws AppError IMAGE_SHAPE, IMAGE_SIZE */
export function separableResize(image: Tensor<"float32">, size: PictureSize, tapsOf: TapsOf): Tensor<"float32"> {
  const { batch, h, w, channels, shape } = checkedResize(image, size);
  const { width, height } = size;
  const across = tapsOf(w, width);
  const down = tapsOf(h, height);
  const { data } = image;
  const out = new Float32Array(batch * height * width * channels);
  const row = width * channels;
  const middle = new Float32Array(h * row);
  for (let b = 0; b < batch; b++) {
    for (let y = 0, at = 0; y < h; y++) {
      const from = (b * h + y) * w * channels;
      for (let x = 0; x < width; x++)
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let t = x * across.count; t < (x + 1) * across.count; t++)
            sum += (across.weight[t] ?? 0) * (data[from + (across.index[t] ?? 0) * channels + c] ?? 0);
          middle[at++] = sum;
        }
    }
    for (let y = 0; y < height; y++) {
      const to = (b * height + y) * row;
      for (let i = 0; i < row; i++) {
        let sum = 0;
        for (let t = y * down.count; t < (y + 1) * down.count; t++)
          sum += (down.weight[t] ?? 0) * (middle[(down.index[t] ?? 0) * row + i] ?? 0);
        out[to + i] = sum;
      }
    }
  }
  return f32(shape, out);
}
