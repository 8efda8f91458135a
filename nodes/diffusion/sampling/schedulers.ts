// ComfyUI's schedulers: which noise levels a run visits.
import { roundHalfEven } from "../../../engine/base/round-half-even.ts";
import type { ModelSampling } from "../../shared/contracts/diffusion.ts";
import { betaQuantile } from "./beta-quantile.ts";

export const SCHEDULERS = ["simple", "normal", "sgm_uniform", "beta"] as const;
export type Scheduler = (typeof SCHEDULERS)[number];

/**
 * σ_0 … 0, descending. Usually steps + 1 long; `beta` may drop steps that fall on one table entry.
 * @param denoise below 1 keeps the last `steps` of int(steps/denoise) steps; 0 gives an empty schedule
 */
export function schedule(name: Scheduler, sampling: ModelSampling, steps: number, denoise: number): Float32Array {
  if (denoise > 0.9999) return Float32Array.from(SIGMAS[name](sampling, steps));
  if (denoise <= 0) return new Float32Array();
  return Float32Array.from(SIGMAS[name](sampling, Math.trunc(steps / denoise)).slice(-(steps + 1)));
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
  /** Quantiles of Beta(0.6, 0.6): dense at both ends (arXiv 2407.12173). */
  beta({ table }, steps) {
    const indices = Array.from({ length: steps }, (_, i) => roundHalfEven(betaQuantile(1 - i / steps, 0.6) * (table.length - 1)));
    return [...indices.filter((t, i) => t !== indices[i - 1]).map((t) => table[t] ?? 0), 0];
  },
};

function linspace(start: number, end: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (count === 1 ? start : start + ((end - start) * i) / (count - 1)));
}
