// What every solver is given, and sums of arrays.
import type { ModelSampling } from "../../shared/contracts/diffusion.ts";
import type { BrownianNoise } from "./brownian-tree.ts";

/** The guided x0 at a noise level. */
export type Denoise = (x: Float32Array, sigma: number) => Promise<Float32Array>;

export interface SolverRun {
  readonly start: Float32Array;
  /** Descending. */
  readonly sigmas: readonly number[];
  readonly denoise: Denoise;
  /** Fresh standard normal numbers, as many as the state has; a solver that is not stochastic never asks. */
  readonly noise: () => Float32Array;
  /** The same, of one Brownian path, for solvers that split their steps. */
  readonly brownian: BrownianNoise;
  /** For the solvers that measure time by the model's own schedule. */
  readonly sampling: Pick<ModelSampling, "sigma">;
  /** Called after step i with the new state; gives it back when it is finite. */
  readonly done: (i: number, x: Float32Array) => Float32Array;
}

/** From the noise level of the first σ to that of the last. */
export type Solver = (run: SolverRun) => Promise<Float32Array>;

/** Σ cₖ·aₖ, summed in float64 and rounded once. */
export function mix(...terms: readonly (readonly [coefficient: number, array: Float32Array])[]): Float32Array {
  const out = new Float32Array(terms[0]?.[1].length ?? 0);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (const [coefficient, array] of terms) if (coefficient !== 0) sum += coefficient * (array[i] ?? 0);
    out[i] = sum;
  }
  return out;
}

/** log((1 − σ)/σ): half the logarithm of a flow model's signal-to-noise ratio. */
export function halfLogSnr(sigma: number): number {
  return Math.log((1 - sigma) / sigma);
}

/** σ = 1 has no signal-to-noise ratio: solvers that need one begin at the time 0.0001 after it. */
export function offsetFirst(sigmas: readonly number[], sampling: Pick<ModelSampling, "sigma">): number[] {
  return sigmas.map((sigma, i) => (i === 0 && sigmas.length > 1 && sigma >= 1 ? sampling.sigma(1 - 1e-4) : sigma));
}
