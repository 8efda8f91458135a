// Pillow's antialiased resampling of 8-bit pictures (src/libImaging/Resample.c), bit for bit: weights in fixed point, the
// horizontal pass first, 8-bit numbers in between. That is every Pillow up to 12; since 13 pictures that shrink much more in
// height take the vertical pass first, which moves a few numbers by 1 (python-pillow/Pillow#9549).
import { f32, type Tensor } from "../../../../engine/tensor/tensor.ts";
import { checkedResize, type PictureSize } from "./size.ts";

export interface Filter {
  /** Half-width, in output pixels when shrinking, in input pixels when enlarging. */
  readonly support: number;
  weight(x: number): number;
}

/** Fixed-point bits of a weight: 32 less 8 of the pixel less 2 of head room. */
const BITS = 22;

interface Weights {
  readonly size: number;
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
}

function weightsOf(from: number, to: number, filter: Filter): Weights {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const support = filter.support * stretch;
  const size = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Int32Array(to * size);
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(center - support + 0.5));
    const n = Math.min(from, Math.trunc(center + support + 0.5)) - begin;
    const exact: number[] = [];
    let sum = 0;
    for (let x = 0; x < n; x++) {
      const w = filter.weight((x + begin - center + 0.5) * (1 / stretch));
      exact.push(w);
      sum += w;
    }
    first[i] = begin;
    count[i] = n;
    exact.forEach((w, x) => {
      const normal = sum === 0 ? w : w / sum;
      weights[i * size + x] = Math.trunc(normal * 2 ** BITS + (normal < 0 ? -0.5 : 0.5));
    });
  }
  return { size, first, count, weights };
}

/**
 * One pass along an axis of [lines, n, inner] to [lines, m, inner]: rows are lines with inner = C, columns one line with inner = W·C.
 */
function pass(data: Uint8ClampedArray, lines: number, from: number, to: number, inner: number, filter: Filter): Uint8ClampedArray {
  if (from === to) return data;
  const { size, first, count, weights } = weightsOf(from, to, filter);
  const out = new Uint8ClampedArray(lines * to * inner);
  const sums = new Int32Array(inner);
  for (let line = 0; line < lines; line++)
    for (let i = 0; i < to; i++) {
      sums.fill(1 << (BITS - 1));
      const n = count[i] ?? 0;
      let at = (line * from + (first[i] ?? 0)) * inner;
      for (let t = 0; t < n; t++) {
        const w = weights[i * size + t] ?? 0;
        for (let c = 0; c < inner; c++, at++) sums[c] = (sums[c] ?? 0) + (data[at] ?? 0) * w;
      }
      const base = (line * to + i) * inner;
      for (let c = 0; c < inner; c++) out[base + c] = (sums[c] ?? 0) >> BITS;
    }
  return out;
}

/**
 * Resizes pictures in 0..1 as ComfyUI does through Pillow: 8-bit numbers trunc(255·x), resampled, divided by 255.
 * @param image [B, H, W, C] @returns [B, height, width, C] @throws AppError IMAGE_SHAPE, IMAGE_SIZE
 */
export function pillowResize(image: Tensor<"float32">, size: PictureSize, filter: Filter): Tensor<"float32"> {
  const { batch, h, w, channels, shape } = checkedResize(image, size);
  const bytes = new Uint8ClampedArray(image.data.length);
  // trunc of the float32 product: for x = v/255 it is v again, for all v.
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.trunc(Math.fround(255 * (image.data[i] ?? 0)));
  const wide = pass(bytes, batch * h, w, size.width, channels, filter);
  const resized = pass(wide, batch, h, size.height, size.width * channels, filter);
  const values = new Float32Array(resized.length);
  for (let i = 0; i < values.length; i++) values[i] = (resized[i] ?? 0) / 255;
  return f32(shape, values);
}
