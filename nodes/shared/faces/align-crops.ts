// Aligned crops inside a differentiable graph. Where each crop pixel reads is a constant of the graph; the pixels it reads are not.
import { AppError } from "../../../engine/base/errors.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.ts";
import { type Affine, invertAffine, scaleOfAffine } from "../pictures/affine.ts";
import { samplesFor } from "../pictures/warp-image.ts";

/** Where the pixels of N crops read: P = N·size² pixels, T = 4·samples² readings each. */
export interface CropTaps {
  /** [P·T] int64: row·width + column. */
  readonly indices: Tensor<"int64">;
  /** [P, T, 1] float32. Readings outside the picture have weight 0. */
  readonly weights: Tensor<"float32">;
}

/** The samples per side that keep every one of these crops from aliasing: the `samples` to give to {@link cropTaps}. */
export function cropSamples(matrices: readonly Affine[]): number {
  return Math.max(1, ...matrices.map((m) => samplesFor(1 / scaleOfAffine(m))));
}

/**
 * Readings of N crops of size×size from a picture of height×width: each crop pixel is the mean of `samples`² bilinear
 * readings (area antialiasing), so a crop that shrinks the picture still sends gradient to every pixel it covers.
 * @param matrices one per crop, picture coordinates to crop coordinates, pixel centres at .5 (a FaceEncoder's `alignment`).
 */
export function cropTaps(matrices: readonly Affine[], size: number, height: number, width: number, samples: number): CropTaps {
  if (!Number.isInteger(samples) || samples < 1 || samples > 8)
    throw new AppError("CROP_SAMPLES", `samples must be an integer from 1 to 8, got ${samples}`);
  const pixels = matrices.length * size * size;
  const taps = 4 * samples * samples;
  const indices = new BigInt64Array(pixels * taps);
  // Millions of small BigInts would take longer than the crops: the low halves are written instead (little endian).
  const low = new Int32Array(indices.buffer);
  const weights = new Float32Array(pixels * taps);
  const share = 1 / (samples * samples);
  let at = 0;
  for (const matrix of matrices) {
    const [a, b, tx, c, d, ty] = invertAffine(matrix);
    for (let p = 0; p < size * size; p++)
      for (let s = 0; s < samples * samples; s++) {
        const u = (p % size) + ((s % samples) + 0.5) / samples;
        const v = Math.floor(p / size) + (Math.floor(s / samples) + 0.5) / samples;
        const sx = a * u + b * v + tx - 0.5;
        const sy = c * u + d * v + ty - 0.5;
        const x0 = Math.floor(sx);
        const y0 = Math.floor(sy);
        for (let k = 0; k < 4; k++, at++) {
          const x = x0 + (k & 1);
          const y = y0 + (k >> 1);
          if (x < 0 || y < 0 || x >= width || y >= height) continue;
          low[2 * at] = y * width + x;
          weights[at] = (k & 1 ? sx - x0 : 1 - sx + x0) * (k >> 1 ? sy - y0 : 1 - sy + y0) * share;
        }
      }
  }
  return { indices: tensor("int64", [pixels * taps], indices), weights: tensor("float32", [pixels, taps, 1], weights) };
}

/**
 * Crops [N, 3, size, size] of a picture [1, 3, H, W]; differentiable in the picture. `indices` and `weights` are inputs or
 * constants that hold the tensors of {@link cropTaps}. Only Gather, Mul and ReduceSum: it runs on every device.
 */
export function alignCrops(b: Builder, image: Value, indices: Value, weights: Value, size: number): Value {
  const [, channels = 0, height = 0, width = 0] = image.shape;
  const [pixels = 0, taps = 0] = weights.shape;
  const rows = b.reshape(b.transpose(image, [0, 2, 3, 1]), [height * width, channels]);
  const read = b.reshape(b.gather(rows, indices, 0), [pixels, taps, channels]);
  const crops = b.sum(b.mul(read, weights), [1], false);
  return b.transpose(b.reshape(crops, [pixels / (size * size), size, size, channels]), [0, 3, 1, 2]);
}
