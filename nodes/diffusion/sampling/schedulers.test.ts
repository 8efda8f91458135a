import { expect, test } from "vitest";
import { modelSampling } from "../../shared/diffusion/model-sampling.ts";
import { type Scheduler, schedule } from "./schedulers.ts";

// Made with numpy 2 and scipy 1.17 in float32 from the published formulas.
const EXPECTED: readonly (readonly [Scheduler, number | undefined, number, readonly number[]])[] = [
  ["normal", undefined, 4, [1, 0.8633764, 0.6124921, 0.0009965239, 0]],
  ["sgm_uniform", undefined, 4, [1, 0.9045671, 0.7596262, 0.5131595, 0]],
  ["beta", undefined, 4, [1, 0.9367757, 0.759584, 0.4024983, 0]],
  ["beta", undefined, 8, [1, 0.9811516, 0.9367757, 0.8654546, 0.759584, 0.6080446, 0.4024983, 0.1610485, 0]],
  ["normal", 3, 4, [1, 0.8576924, 0.6021506, 0.008928572, 0]],
  ["sgm_uniform", 3, 4, [1, 0.900359, 0.7511211, 0.5029851, 0]],
  ["normal", 3, 8, [1, 0.9475425, 0.8827877, 0.8008373, 0.6937931, 0.5480456, 0.3379721, 0.008928572, 0]],
  ["sgm_uniform", 3, 8, [1, 0.9546938, 0.900359, 0.833998, 0.7511211, 0.6446863, 0.5029851, 0.3050089, 0]],
  ["beta", 3, 8, [1, 0.9802494, 0.9335348, 0.8595218, 0.7507493, 0.5963855, 0.3921714, 0.155914, 0]],
];

test.each(EXPECTED)("%s, shift %s, %i steps", (name, shift, steps, expected) => {
  const sigmas = schedule(name, modelSampling(shift), steps, 1);
  expect(sigmas.length).toBe(expected.length);
  expected.forEach((x, i) => {
    expect(sigmas[i]).toBeCloseTo(x, 6);
  });
});

test("beta drops steps that fall on one table entry", () => {
  const sigmas = schedule("beta", modelSampling(3), 600, 1);
  expect(sigmas.length).toBe(560);
  expect(sigmas.reduce((a, x) => a + x, 0)).toBeCloseTo(366.97238, 3);
});

test("denoise below 1 is the end of a longer schedule", () => {
  const whole = schedule("simple", modelSampling(3), 10, 1);
  expect(schedule("simple", modelSampling(3), 4, 0.4)).toEqual(whole.slice(-5));
  expect(schedule("simple", modelSampling(3), 4, 0)).toEqual(new Float32Array());
  // 7/0.3 = 23.33: ComfyUI truncates.
  expect(schedule("simple", modelSampling(3), 7, 0.3)).toEqual(schedule("simple", modelSampling(3), 23, 1).slice(-8));
});

test("a shift of 0 is refused", () => {
  expect(() => modelSampling(0)).toThrow(expect.objectContaining({ code: "SAMPLING_SHIFT" }));
});
