import { expect, test } from "vitest";
import { modelSampling } from "../../shared/diffusion/model-sampling.ts";
import type { Sampler } from "./sampler-names.ts";
import { sample } from "./samplers.ts";
import type { Denoise } from "./solver.ts";

const SIGMAS = [1, 0.95, 0.88, 0.75, 0.6, 0.4, 0.15, 0];

/** x0 = 0.7·sin(1.3·x + σ), noise k: sin(7k + 3j), Brownian noise k: sin(5k + 2j + σ − 3σ′), from [0.3, −1.2, 0.9]. */
async function run(name: Sampler, sigmas: readonly number[]): Promise<Float32Array> {
  let calls = 0;
  const noise = () => {
    calls++;
    return Float32Array.from({ length: 3 }, (_, j) => Math.sin(calls * 7 + j * 3));
  };
  let asked = 0;
  const brownian = (sigma: number, next: number) => {
    asked++;
    return Float32Array.from({ length: 3 }, (_, j) => Math.sin(asked * 5 + j * 2 + sigma - 3 * next));
  };
  const denoise: Denoise = async (x, sigma) => x.map((value) => 0.7 * Math.sin(1.3 * value + sigma));
  return sample(name, { start: Float32Array.of(0.3, -1.2, 0.9), sigmas, denoise, noise, brownian, sampling: modelSampling(3) });
}

// The published formulas (k-diffusion, ComfyUI's forms for flow models, the papers) written out in numpy, in float64.
const TO_ZERO: readonly (readonly [Sampler, readonly number[]])[] = [
  ["euler", [0.5486887478, -0.3120759346, 0.6184277616]],
  ["euler_ancestral", [0.4314667814, 0.0699884138, 0.4846716306]],
  ["heun", [0.5122708938, -0.2916595904, 0.5920385745]],
  ["heunpp2", [0.5396974105, -0.3057359622, 0.6143896991]],
  ["dpmpp_2s_ancestral", [0.4031354282, 0.0827549875, 0.4580797669]],
  ["dpmpp_2m", [0.5295692499, -0.2989281343, 0.6189877753]],
  ["lcm", [0.3092218943, 0.5014389817, 0.3847648163]],
  ["ipndm", [0.535512372, -0.30344426, 0.6156084482]],
  ["res_multistep", [0.5266195824, -0.2970070771, 0.6188267789]],
  ["res_multistep_ancestral", [0.559433637, -0.0980749707, 0.6438279264]],
  ["gradient_estimation", [0.5344378829, -0.3019746461, 0.6178722651]],
  ["er_sde", [0.6201641535, -0.2819388484, 0.6277181756]],
  ["sa_solver", [0.6441652574, -0.4109122693, 0.6475219866]],
  ["dpm_2", [0.5219857382, -0.2960503817, 0.6031667163]],
  ["dpm_2_ancestral", [0.3384525849, 0.0958387358, 0.392637557]],
  ["lms", [0.53303347, -0.301735989, 0.6127527772]],
  ["dpmpp_sde", [0.2751394701, 0.4387614461, 0.5221026437]],
  ["dpmpp_2m_sde", [0.243771852, 0.6333582959, 0.1439161462]],
  ["dpmpp_2m_sde_heun", [0.2071345511, 0.6389148365, 0.1267281865]],
  ["dpmpp_3m_sde", [0.0393580177, 0.4023806168, 0.4233813719]],
  ["ddim", [0.5486887478, -0.3120759346, 0.6184277616]],
  ["uni_pc", [0.5193080809, -0.2941355938, 0.6145485759]],
  ["uni_pc_bh2", [0.5289373356, -0.2998728114, 0.6162916704]],
  ["deis", [0.5342171137, -0.3024786262, 0.6119102688]],
  ["seeds_2", [0.5553249934, 0.2326390425, 0.5256546072]],
  ["exp_heun_2_x0", [0.5309819413, -0.3014539063, 0.607192352]],
  ["exp_heun_2_x0_sde", [0.4872391592, 0.3461767243, 0.4522970506]],
];
const OPEN_END: readonly (readonly [Sampler, readonly number[]])[] = [
  ["euler", [0.4596620581, -0.853799367, 0.7928719774]],
  ["er_sde", [0.8019004658, -1.0291469142, 0.957633188]],
  ["sa_solver", [0.9512380951, -0.6709046909, 0.9119400138]],
  ["res_multistep", [0.4554694142, -0.851244109, 0.8068173142]],
  ["dpmpp_2m", [0.4556916506, -0.8513795537, 0.8060781242]],
  ["lcm", [0.8452839015, -0.4675558757, 0.795699074]],
  ["dpm_2", [0.4525494804, -0.8494168374, 0.8053606534]],
  ["dpm_2_ancestral", [0.943527477, -0.880663179, 0.9616345518]],
  ["lms", [0.4566965216, -0.8519919846, 0.8027357786]],
  ["dpmpp_sde", [0.6160513258, -0.09803486, -0.0969866173]],
  ["dpmpp_2m_sde", [0.1392358876, -0.6612105968, 0.8389103]],
  ["dpmpp_2m_sde_heun", [0.1272830421, -0.6506869969, 0.8392796825]],
  ["dpmpp_3m_sde", [0.1272830421, -0.6506869969, 0.8392796825]],
  ["ddim", [0.4596620581, -0.853799367, 0.7928719774]],
  ["uni_pc", [0.4577988528, -0.8526638138, 0.7990692663]],
  ["uni_pc_bh2", [0.4580145378, -0.8527952656, 0.798351867]],
  ["deis", [0.4563358898, -0.8517720954, 0.8039353853]],
  ["seeds_2", [0.8844239827, -0.9230196618, 1.0006429993]],
  ["exp_heun_2_x0", [0.4527040106, -0.8496969194, 0.8019255081]],
  ["exp_heun_2_x0_sde", [0.8768998712, -0.7016872382, 0.9166360595]],
];

test.each(TO_ZERO)("%s", async (name, expected) => {
  const x = await run(name, SIGMAS);
  expected.forEach((value, i) => {
    expect(x[i]).toBeCloseTo(value, 5);
  });
});

test.each(OPEN_END)("%s, from 0.9 to 0.5", async (name, expected) => {
  const x = await run(name, [0.9, 0.7, 0.5]);
  expected.forEach((value, i) => {
    expect(x[i]).toBeCloseTo(value, 5);
  });
});

const quiet = { noise: () => new Float32Array(), brownian: () => new Float32Array(), sampling: modelSampling(3) };
/** v = dx/dσ = x, so x(σ) = x(1)·e^(σ−1) and x0 = x·(1 − σ): a flow with a known end. */
const exponential: Denoise = async (x, sigma) => x.map((value) => value * (1 - sigma));

async function errorAt(name: Sampler, steps: number): Promise<number> {
  const sigmas = Array.from({ length: steps + 1 }, (_, i) => 1 - i / steps);
  const [end = 0] = await sample(name, { ...quiet, start: Float32Array.of(1), sigmas, denoise: exponential });
  return Math.abs(end - Math.exp(-1));
}

test("euler is of first order, heun of second", async () => {
  expect((await errorAt("euler", 20)) / (await errorAt("euler", 40))).toBeCloseTo(2, 0);
  expect(await errorAt("heun", 20)).toBeLessThan((await errorAt("euler", 20)) / 10);
  const evaluated: number[] = [];
  const seen: number[] = [];
  const denoise: Denoise = async (x, sigma) => {
    evaluated.push(sigma);
    return x;
  };
  await sample("heun", { ...quiet, start: Float32Array.of(1), sigmas: [1, 0.5, 0], denoise }, (i) => seen.push(i));
  expect(evaluated).toEqual([1, 0.5, 0.5]);
  expect(seen).toEqual([0, 1]);
});

test("a constant x0 is reached exactly, and no steps change nothing", async () => {
  const goal = Float32Array.of(0.25, -2);
  const start = Float32Array.of(1, 1);
  for (const name of ["euler", "heun"] as const)
    expect(await sample(name, { ...quiet, start, sigmas: [1, 0.5, 0], denoise: async () => goal })).toEqual(goal);
  expect(await sample("euler", { ...quiet, start, sigmas: [0.3], denoise: async () => goal })).toEqual(Float32Array.of(1, 1));
});

test("a state that is not finite ends it", async () => {
  const denoise: Denoise = async (x) => x.map(() => Number.NaN);
  await expect(sample("dpmpp_2m", { ...quiet, start: Float32Array.of(1), sigmas: [1, 0.5, 0], denoise })).rejects.toMatchObject({
    code: "SAMPLING_NAN",
  });
});
