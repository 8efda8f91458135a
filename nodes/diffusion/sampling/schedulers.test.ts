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
  ["karras", undefined, 4, [1.0, 0.1635048, 0.01411845, 0.0003157512, 0.0]],
  ["karras", undefined, 7, [1.0, 0.4286742, 0.1635048, 0.05345028, 0.01411845, 0.002724078, 0.0003157512, 0.0]],
  ["exponential", undefined, 4, [1.0, 0.06809496, 0.004636924, 0.0003157512, 0.0]],
  ["exponential", undefined, 7, [1.0, 0.2609501, 0.06809496, 0.01776939, 0.004636924, 0.001210006, 0.0003157512, 0.0]],
  ["ddim_uniform", undefined, 4, [0.9046229, 0.759657, 0.5131105, 0.000631366, 0.0]],
  ["ddim_uniform", undefined, 7, [0.9999366, 0.9498169, 0.8875415, 0.8080773, 0.703169, 0.5582664, 0.3451124, 0.000631366, 0.0]],
  ["kl_optimal", undefined, 4, [1.0, 0.5774906, 0.2681748, 0.0003157512, 0.0]],
  ["kl_optimal", undefined, 7, [1.0, 0.7674106, 0.5774906, 0.4143985, 0.2681748, 0.1319202, 0.0003157512, 0.0]],
  ["linear_quadratic", undefined, 4, [1.0, 0.9875, 0.975, 0.725, 0.0]],
  ["linear_quadratic", undefined, 7, [1.0, 0.9916667, 0.9833333, 0.975, 0.9078125, 0.7229167, 0.4203125, 0.0]],
  ["beta57", undefined, 4, [1.0, 0.8900246, 0.640931, 0.2518011, 0.0]],
  ["beta57", undefined, 7, [1.0, 0.9537154, 0.8635505, 0.7280647, 0.5407792, 0.3107052, 0.09425709, 0.0]],
  ["karras", 3, 4, [1.0, 0.2327368, 0.03683167, 0.002994012, 0.0]],
  ["karras", 3, 7, [1.0, 0.5010548, 0.2327368, 0.09836147, 0.03683167, 0.0117443, 0.002994012, 0.0]],
  ["exponential", 3, 4, [1.0, 0.1441289, 0.02077315, 0.002994012, 0.0]],
  ["exponential", 3, 7, [1.0, 0.3796432, 0.1441289, 0.05471757, 0.02077315, 0.007886385, 0.002994012, 0.0]],
  ["ddim_uniform", 3, 4, [0.9009585, 0.751497, 0.5026596, 0.005976096, 0.0]],
  ["ddim_uniform", 3, 7, [0.9986631, 0.9460856, 0.8811882, 0.7990655, 0.6918104, 0.5458015, 0.3354037, 0.005976096, 0.0]],
  ["kl_optimal", 3, 4, [1.0, 0.5786817, 0.2700896, 0.002994012, 0.0]],
  ["kl_optimal", 3, 7, [1.0, 0.7681201, 0.5786817, 0.4159685, 0.2700896, 0.1341916, 0.002994012, 0.0]],
  ["linear_quadratic", 3, 4, [1.0, 0.9875, 0.975, 0.725, 0.0]],
  ["linear_quadratic", 3, 7, [1.0, 0.9916667, 0.9833333, 0.975, 0.9078125, 0.7229167, 0.4203125, 0.0]],
  ["beta57", 3, 4, [1.0, 0.8852459, 0.6299304, 0.2437186, 0.0]],
  ["beta57", 3, 7, [1.0, 0.9513533, 0.8573264, 0.7179353, 0.5284975, 0.301917, 0.09287055, 0.0]],
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
