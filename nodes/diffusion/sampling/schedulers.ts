// ComfyUI's schedulers: which noise levels a run visits.
import { roundHalfEven } from "../../../engine/base/round-half-even.ts";
import type { ModelSampling } from "../../shared/contracts/diffusion.ts";
import { betaQuantile } from "./beta-quantile.ts";
import { type Sampler, WITHOUT_LAST_SIGMA } from "./sampler-names.ts";

/** ComfyUI's names, and RES4LYF's beta57. */
export const SCHEDULERS = [
  "simple",
  "sgm_uniform",
  "karras",
  "exponential",
  "ddim_uniform",
  "beta",
  "normal",
  "linear_quadratic",
  "kl_optimal",
  "beta57",
] as const;
export type Scheduler = (typeof SCHEDULERS)[number];

/**
 * σ_0 … 0, descending. Usually steps + 1 long; `beta` may drop steps that fall on one table entry.
 * @param denoise below 1 keeps the last `steps` of int(steps/denoise) steps; 0 gives an empty schedule
 */
export function schedule(name: Scheduler, sampling: ModelSampling, steps: number, denoise: number): Float32Array {
  return lastOf((n) => SIGMAS[name](sampling, n), steps, denoise);
}

/** As {@link schedule}, as KSampler takes it for a sampler: for some, one step more is made, and the last σ before 0 left out. */
export function scheduleFor(sampler: Sampler, name: Scheduler, sampling: ModelSampling, steps: number, denoise: number): Float32Array {
  if (!WITHOUT_LAST_SIGMA.has(sampler)) return schedule(name, sampling, steps, denoise);
  return lastOf((n) => SIGMAS[name](sampling, n + 1).toSpliced(-2, 1), steps, denoise);
}

function lastOf(sigmas: (steps: number) => number[], steps: number, denoise: number): Float32Array {
  if (denoise > 0.9999) return Float32Array.from(sigmas(steps));
  if (denoise <= 0) return new Float32Array();
  return Float32Array.from(sigmas(Math.trunc(steps / denoise)).slice(-(steps + 1)));
}

const SIGMAS: Readonly<Record<Scheduler, (sampling: ModelSampling, steps: number) => number[]>> = {
  simple({ table }, steps) {
    const stride = table.length / steps;
    return [...Array.from({ length: steps }, (_, i) => table.at(-(1 + Math.trunc(i * stride))) ?? 0), 0];
  },
  /** Evenly spaced times between the ends of the table. For flow models a σ is its own time, so the shift is applied to it again. */
  normal({ table, sigma }, steps) {
    const end = table[0] ?? 0;
    if (sigma(end) <= 1e-5) return linspace(1, end, steps + 1).map(sigma);
    return [...linspace(1, end, steps).map(sigma), 0];
  },
  sgm_uniform({ table, sigma }, steps) {
    const times = linspace(1, table[0] ?? 0, steps + 1);
    return [...times.slice(0, -1).map(sigma), 0];
  },
  beta: (sampling, steps) => beta(sampling, steps, 0.6, 0.6),
  beta57: (sampling, steps) => beta(sampling, steps, 0.5, 0.7),
  /** Evenly spaced in σ^(1/7) (Karras et al. 2022). */
  karras({ table }, steps) {
    const [min, max] = [table[0] ?? 0, table.at(-1) ?? 1].map((sigma) => sigma ** (1 / 7));
    return [...linspace(max ?? 1, min ?? 0, steps).map((x) => x ** 7), 0];
  },
  /** Evenly spaced in log σ. */
  exponential({ table }, steps) {
    return [...linspace(Math.log(table.at(-1) ?? 1), Math.log(table[0] ?? 0), steps).map(Math.exp), 0];
  },
  /** Every n-th entry of the table, from its second on: usually more steps than asked for. */
  ddim_uniform({ table }, steps) {
    const isZero = Math.abs(table[1] ?? 0) <= 1e-5;
    const stride = Math.max(1, Math.floor(table.length / (isZero ? steps + 1 : steps)));
    const sigmas: number[] = [];
    for (let i = 1; i < table.length; i += stride) sigmas.push(table[i] ?? 0);
    return [...sigmas.reverse(), ...(isZero ? [] : [0])];
  },
  /** Small even steps for half of them, then a parabola (Mochi). */
  linear_quadratic({ table }, steps) {
    if (steps === 1) return [1, 0];
    const threshold = 0.025;
    const linear = Math.floor(steps / 2);
    const rest = steps - linear;
    const excess = linear - threshold * steps;
    const quadratic = excess / (linear * rest ** 2);
    const slope = threshold / linear - (2 * excess) / rest ** 2;
    const times = Array.from({ length: steps }, (_, i) =>
      i < linear ? (i * threshold) / linear : quadratic * i ** 2 + slope * i + quadratic * linear ** 2,
    );
    return [...times, 1].map((t) => (1 - t) * (table.at(-1) ?? 1));
  },
  /** Evenly spaced in atan σ ("Align Your Steps", theorem 3.1). */
  kl_optimal({ table }, steps) {
    return [...linspace(Math.atan(table.at(-1) ?? 1), Math.atan(table[0] ?? 0), steps).map(Math.tan), 0];
  },
};

/** Quantiles of a Beta distribution: dense at both ends (arXiv 2407.12173). */
function beta({ table }: ModelSampling, steps: number, a: number, b: number): number[] {
  const indices = Array.from({ length: steps }, (_, i) => roundHalfEven(betaQuantile(1 - i / steps, a, b) * (table.length - 1)));
  return [...indices.filter((t, i) => t !== indices[i - 1]).map((t) => table[t] ?? 0), 0];
}

function linspace(start: number, end: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (count === 1 ? start : start + ((end - start) * i) / (count - 1)));
}
