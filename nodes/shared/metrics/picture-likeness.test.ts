import { expect, test } from "vitest";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Image } from "../contracts/data.ts";
import { psnr, ssim } from "./picture-likeness.ts";

const [height, width] = [17, 23];
const picture = (at: (i: number) => number): Image =>
  f32(
    [1, height, width, 3],
    Float32Array.from({ length: height * width * 3 }, (_, i) => at(i)),
  );
const a = picture((i) => 0.5 + 0.4 * Math.sin(i * 0.37));
const b = picture((i) => 0.5 + 0.35 * Math.sin(i * 0.37 + 0.6) + 0.1 * Math.cos(i * 0.011));

// scikit-image 0.26: peak_signal_noise_ratio(data_range=1); structural_similarity(rgb2gray(a), rgb2gray(b), data_range=1,
// gaussian_weights=True, sigma=1.5, use_sample_covariance=False).
test("psnr and ssim are scikit-image's", () => {
  expect(psnr(a, b)).toBeCloseTo(15.104243049800782, 5);
  expect(ssim(a, b)).toBeCloseTo(0.7940674280834287, 5);
});

test("equal pictures", () => {
  expect(psnr(a, a)).toBe(100);
  expect(ssim(a, a)).toBeCloseTo(1, 9);
});

test("pictures smaller than a window have no ssim; pictures of two shapes are an error", () => {
  const small = f32([1, 10, 30, 3], new Float32Array(900));
  expect(ssim(small, small)).toBeUndefined();
  expect(() => psnr(a, small)).toThrow(expect.objectContaining({ code: "METRIC_SIZE" }));
  expect(() => ssim(small, a)).toThrow(expect.objectContaining({ code: "METRIC_SIZE" }));
});
