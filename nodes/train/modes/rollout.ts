import type { Guided } from "../../shared/contracts/diffusion.ts";
import { eulerStep } from "../../shared/diffusion/steps.ts";
import type { Situation } from "../objective.ts";

/** The velocity the sampler steps along, by the model's own guidance. Without gradient. */
export async function guidedVelocity(
  s: Pick<Situation, "runner" | "example" | "guidance">,
  x: Float32Array,
  sigma: number,
): Promise<Guided> {
  const conditional = await s.runner.velocity(s.example.conditional, x, sigma);
  if (!s.guidance) return { v: conditional, factor: null };
  const branches: Float32Array[] = [];
  for (const branch of s.example.branches) branches.push(await s.runner.velocity(branch, x, sigma));
  return s.guidance.combine(conditional, branches);
}

/** ∂v/∂(conditional) of {@link guidedVelocity} per element; null = 1 everywhere. */
export async function guidanceFactor(s: Situation, x: Float32Array, sigma: number): Promise<Float32Array | null> {
  return s.guidance && (await guidedVelocity(s, x, sigma)).factor;
}

/** Euler steps from pure noise, without gradient: returns x at σ_0 … σ_end (`end` + 1 states). */
export async function rollout(
  s: Pick<Situation, "runner" | "example" | "guidance" | "sigmas" | "rng">,
  end: number,
): Promise<readonly Float32Array[]> {
  let x = s.rng.normals(new Float32Array(s.example.x0.length));
  const states = [x];
  for (let i = 0; i < end; i++) {
    const sigma = s.sigmas[i] ?? 1;
    const { v } = await guidedVelocity(s, x, sigma);
    x = eulerStep(x, v, sigma, s.sigmas[i + 1] ?? 0);
    states.push(x);
  }
  return states;
}

/** Multiplies elementwise by a number and, where given, a per-element factor. */
export function scaled(g: Float32Array, by: number, factor: Float32Array | null): Float32Array {
  return g.map((z, i) => z * by * (factor ? (factor[i] ?? 1) : 1));
}
