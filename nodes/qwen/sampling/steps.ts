// One step of each sampler, and what surrounds the steps. Float32 arrays of equal length in and out.

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
