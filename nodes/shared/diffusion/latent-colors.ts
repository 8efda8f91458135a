// A picture of a latent without a VAE: each cell's colour as a linear function of its channels, fitted to a picture that the VAE has encoded.
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { Latent, LatentColors } from "../contracts/data.ts";

type Numbers = Tensor<"float32">;

/** Ridge, as a share of the channels' mean variance: a picture of one colour must not give weights out of rounding. */
const RIDGE = 1e-3;

/**
 * Least squares with a ridge: colour ≈ [z, 1] · M, over all cells of all pictures.
 * @param samples raw latents [B, C, h, w]
 * @param colors of the pictures they were made from: see {@link cellColors}
 */
export function fitColors(samples: Numbers, colors: readonly Float32Array[]): LatentColors {
  const [, channels = 0, h = 0, w = 0] = samples.shape;
  const area = h * w;
  const count = colors.length * area;
  const z = (b: number, c: number, i: number): number => samples.data[(b * channels + c) * area + i] ?? 0;
  const rgb = (b: number, k: number, i: number): number => colors[b]?.[k * area + i] ?? 0;
  const mean = (of: (b: number, i: number) => number): number => {
    let sum = 0;
    for (let b = 0; b < colors.length; b++) for (let i = 0; i < area; i++) sum += of(b, i);
    return sum / count;
  };
  const zMean = Array.from({ length: channels }, (_, c) => mean((b, i) => z(b, c, i)));
  const rgbMean = [0, 1, 2].map((k) => mean((b, i) => rgb(b, k, i)));
  /** Covariances, and those with the colours beside them: [C, C + 3]. */
  const rows = zMean.map((m, c) => {
    const row = new Float64Array(channels + 3);
    for (let d = 0; d < channels; d++) row[d] = mean((b, i) => (z(b, c, i) - m) * (z(b, d, i) - (zMean[d] ?? 0)));
    for (let k = 0; k < 3; k++) row[channels + k] = mean((b, i) => (z(b, c, i) - m) * (rgb(b, k, i) - (rgbMean[k] ?? 0)));
    return row;
  });
  const ridge = (RIDGE * rows.reduce((sum, row, c) => sum + (row[c] ?? 0), 0)) / channels || 1;
  rows.forEach((row, c) => {
    row[c] = (row[c] ?? 0) + ridge;
  });
  const weights = solve(rows, channels);
  const matrix = new Float32Array((channels + 1) * 3);
  for (let k = 0; k < 3; k++) {
    let bias = rgbMean[k] ?? 0;
    for (let c = 0; c < channels; c++) {
      const weight = weights[c]?.[k] ?? 0;
      matrix[c * 3 + k] = weight;
      bias -= weight * (zMean[c] ?? 0);
    }
    matrix[channels * 3 + k] = bias;
  }
  return f32([channels + 1, 3], matrix);
}

/** The first latent of a batch as 8-bit RGB [h, w, 3], one pixel a cell. */
export function latentPicture({ samples }: Latent, colors: LatentColors): { rgb: Uint8Array; width: number; height: number } {
  const [, channels = 0, height = 0, width = 0] = samples.shape;
  const area = height * width;
  const rgb = new Uint8Array(area * 3);
  for (let i = 0; i < area; i++)
    for (let k = 0; k < 3; k++) {
      let value = colors.data[channels * 3 + k] ?? 0;
      for (let c = 0; c < channels; c++) value += (samples.data[c * area + i] ?? 0) * (colors.data[c * 3 + k] ?? 0);
      rgb[i * 3 + k] = Math.round(255 * Math.min(1, Math.max(0, value)));
    }
  return { rgb, width, height };
}

/** Mean colours of a picture's cells in 0..1, planes [3, h, w]. @param image planes [3, h·cell, w·cell] in −1..1 */
export function cellColors(image: Float32Array, h: number, w: number, cell: number): Float32Array {
  const out = new Float32Array(3 * h * w);
  const width = w * cell;
  for (let row = 0; row < 3 * h * cell; row++)
    for (let x = 0; x < width; x++) {
      const at = Math.floor(row / cell) * w + Math.floor(x / cell);
      out[at] = (out[at] ?? 0) + ((image[row * width + x] ?? 0) + 1) / 2 / cell ** 2;
    }
  return out;
}

/** Gauss without pivots, for a positive definite matrix with its right sides beside it. @returns [C, sides] */
function solve(rows: readonly Float64Array[], count: number): readonly Float64Array[] {
  for (const [c, pivot] of rows.entries()) {
    const scale = pivot[c] ?? 1;
    for (let j = c; j < pivot.length; j++) pivot[j] = (pivot[j] ?? 0) / scale;
    for (const [r, row] of rows.entries()) {
      const factor = row[c] ?? 0;
      if (r === c || factor === 0) continue;
      for (let j = c; j < row.length; j++) row[j] = (row[j] ?? 0) - factor * (pivot[j] ?? 0);
    }
  }
  return rows.map((row) => row.subarray(count));
}
