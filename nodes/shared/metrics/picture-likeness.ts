// How near a picture is to the true one, pixel by pixel: a reward that is fooled shows here.

import { AppError } from "../../../engine/base/errors.ts";
import type { Image } from "../contracts/data.ts";

/** What two equal pictures get. */
const MAX_PSNR = 100;

const RADIUS = 5;
const SIGMA = 1.5;
const KERNEL = gaussian();
const C1 = 0.01 ** 2;
const C2 = 0.03 ** 2;
/** Rec. 709, as scikit-image's rgb2gray. */
const LUMA = [0.2125, 0.7154, 0.0721] as const;

/** Peak signal-to-noise ratio in dB of pictures in 0..1, at most 100. @throws AppError METRIC_SIZE when their shapes differ */
export function psnr(picture: Image, truth: Image): number {
  expectOneShape(picture, truth);
  let sum = 0;
  for (let i = 0; i < truth.data.length; i++) sum += ((picture.data[i] ?? 0) - (truth.data[i] ?? 0)) ** 2;
  return Math.min(MAX_PSNR, -10 * Math.log10(sum / truth.data.length));
}

/**
 * Structural similarity of two pictures [1,H,W,3] in 0..1, on their luma: 11 × 11 Gaussian windows of σ 1.5 that lie wholly
 * inside (Wang et al. 2004, eq. 13, K1 = 0.01, K2 = 0.03). −1..1.
 * @returns undefined when a side is shorter than a window @throws AppError METRIC_SIZE when their shapes differ
 */
export function ssim(picture: Image, truth: Image): number | undefined {
  expectOneShape(picture, truth);
  const [, height = 0, width = 0] = truth.shape;
  if (Math.min(width, height) <= 2 * RADIUS) return undefined;
  const [x, y] = [luma(picture), luma(truth)];
  const smooth = (of: (i: number) => number) =>
    filtered(
      Float64Array.from(x, (_, i) => of(i)),
      width,
      height,
    );
  const at = (plane: Float64Array, i: number) => plane[i] ?? 0;
  const [mx, my] = [smooth((i) => at(x, i)), smooth((i) => at(y, i))];
  const [xx, yy, xy] = [smooth((i) => at(x, i) ** 2), smooth((i) => at(y, i) ** 2), smooth((i) => at(x, i) * at(y, i))];
  let sum = 0;
  for (let i = 0; i < mx.length; i++) {
    const [a, b] = [at(mx, i), at(my, i)];
    const covariance = at(xy, i) - a * b;
    const variances = at(xx, i) - a * a + at(yy, i) - b * b;
    sum += ((2 * a * b + C1) * (2 * covariance + C2)) / ((a * a + b * b + C1) * (variances + C2));
  }
  return sum / mx.length;
}

function expectOneShape(picture: Image, truth: Image): void {
  if (picture.shape.join() !== truth.shape.join())
    throw new AppError("METRIC_SIZE", `pictures of one shape are compared, not [${picture.shape}] with [${truth.shape}]`);
}

function luma({ data }: Image): Float64Array {
  return Float64Array.from({ length: data.length / 3 }, (_, p) => LUMA.reduce((sum, w, c) => sum + w * (data[p * 3 + c] ?? 0), 0));
}

function gaussian(): number[] {
  const weights = Array.from({ length: 2 * RADIUS + 1 }, (_, k) => Math.exp(-((k - RADIUS) ** 2) / (2 * SIGMA ** 2)));
  const sum = weights.reduce((a, c) => a + c, 0);
  return weights.map((w) => w / sum);
}

/** [height − 10, width − 10]: windows that lie wholly inside. */
function filtered(plane: Float64Array, width: number, height: number): Float64Array {
  const [w, h] = [width - 2 * RADIUS, height - 2 * RADIUS];
  const rows = new Float64Array(w * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < w; x++) rows[y * w + x] = KERNEL.reduce((sum, k, j) => sum + k * (plane[y * width + x + j] ?? 0), 0);
  const out = new Float64Array(w * h);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) out[y * w + x] = KERNEL.reduce((sum, k, j) => sum + k * (rows[(y + j) * w + x] ?? 0), 0);
  return out;
}
