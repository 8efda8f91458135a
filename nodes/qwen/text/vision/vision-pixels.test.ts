import { expect, test } from "vitest";
import { f32 } from "../../../../engine/tensor/tensor.ts";
import { visionPixels } from "./vision-pixels.ts";

const MEAN = [0.48145466, 0.4578275, 0.40821073];
const STD = [0.26862954, 0.26130258, 0.27577711];

test("a picture that fits is only normalised, channel by channel", () => {
  const image = f32(
    [1, 56, 84, 3],
    Float32Array.from({ length: 56 * 84 * 3 }, (_, i) => (i % 256) / 255),
  );
  for (const resample of ["diffusers", "comfyui"] as const) {
    const { planes, grid } = visionPixels(image, resample, 14, 2);
    expect(grid).toEqual({ h: 4, w: 6 });
    for (const [c, y, x] of [
      [0, 0, 0],
      [1, 10, 83],
      [2, 55, 2],
    ] as const) {
      const expected = ((image.data[(y * 84 + x) * 3 + c] ?? 0) - (MEAN[c] ?? 0)) / (STD[c] ?? 1);
      expect(planes[(c * 56 + y) * 84 + x]).toBeCloseTo(expected, 5);
    }
  }
});

test("shrinking averages for diffusers and only interpolates for ComfyUI", () => {
  // Columns alternate black and white; 69 pixels become 56.
  const stripes = f32(
    [1, 69, 69, 3],
    Float32Array.from({ length: 69 * 69 * 3 }, (_, i) => Math.floor(i / 3) % 2),
  );
  const contrast = (resample: "diffusers" | "comfyui") => {
    const { planes, grid } = visionPixels(stripes, resample, 14, 2);
    expect(grid).toEqual({ h: 4, w: 4 });
    const row = planes.subarray(20 * 56, 21 * 56);
    const mean = row.reduce((a, x) => a + x, 0) / 56;
    return Math.sqrt(row.reduce((a, x) => a + (x - mean) ** 2, 0) / 56);
  };
  expect(contrast("diffusers")).toBeLessThan(0.9 * contrast("comfyui"));
  expect(contrast("diffusers")).toBeGreaterThan(0.1);
});
