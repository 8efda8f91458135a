// One step of each sampler, and what comes before and after the steps. Float32 arrays of equal length in and out.
import { AppError } from "../../../engine/base/errors.ts";

/** x0 of a flow model: x − σ·v. */
export function x0Of(x: Float32Array, velocity: Float32Array, sigma: number): Float32Array {
  return x.map((value, i) => value - sigma * (velocity[i] ?? 0));
}

/** x + (σ' − σ)·v. */
export function eulerStep(x: Float32Array, velocity: Float32Array, sigma: number, next: number): Float32Array {
  const dt = next - sigma;
  return x.map((value, i) => value + dt * (velocity[i] ?? 0));
}

/** The velocity that leads from x to x0: (x − x0)/σ. */
export function towards(x: Float32Array, x0: Float32Array, sigma: number): Float32Array {
  return x.map((value, i) => (value - (x0[i] ?? 0)) / sigma);
}

/** Start of a run: σ·noise + (1 − σ)·latent. */
export function addNoise(latent: Float32Array, noise: Float32Array, sigma: number): Float32Array {
  return noise.map((n, i) => sigma * n + (1 - sigma) * (latent[i] ?? 0));
}

/**
 * The state, when all of it is finite. A picture of NaN is black, and nothing else would report it.
 * @throws AppError SAMPLING_NAN naming the step, counted from 1, and its σ
 */
export function checkedState(x: Float32Array, step: number, sigma: number): Float32Array {
  const at = x.findIndex((z) => !Number.isFinite(z));
  if (at < 0) return x;
  throw new AppError("SAMPLING_NAN", `step ${step} (σ ${sigma.toFixed(4)}) gave ${x[at]}: the picture is lost`, {
    hint: "a weight of the model or of a LoRA is not a number, or a strength or guidance scale is far too high",
  });
}
