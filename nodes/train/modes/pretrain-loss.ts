import type { VjpResult } from "../model-runner.ts";
import type { Situation } from "../objective.ts";

/**
 * Flow-matching loss on the target picture: x_σ = (1−σ)·x0 + σ·ε, L = mean((v_θ(x_σ, σ) − (ε − x0))²), its gradient scaled
 * by λ. σ is logit-normal(0, 1), shifted like the sampler's schedule for this size (Esser et al. 2024, SD3, §3.1).
 */
export async function pretrainLoss(s: Situation): Promise<VjpResult> {
  const { x0 } = s.example;
  const sigma = shiftedSigma(1 / (1 + Math.exp(-s.rng.normal())), s.sigmas);
  const eps = s.rng.normals(new Float32Array(x0.length));
  const x = x0.map((z, i) => (1 - sigma) * z + sigma * (eps[i] ?? 0));
  const v = x0.map((z, i) => (eps[i] ?? 0) - z);
  return s.runner.vjp(s.example, { x, sigma, cotangent: null, target: { v, weight: s.options.lambda } });
}

/** Maps u in (0,1) through the schedule: the σ at the fraction 1−u of the rollout, linear between steps. */
function shiftedSigma(u: number, sigmas: readonly number[]): number {
  const at = (1 - u) * (sigmas.length - 1);
  const i = Math.min(sigmas.length - 2, Math.floor(at));
  const a = sigmas[i] ?? 1;
  const b = sigmas[i + 1] ?? 0;
  return Math.min(0.999, Math.max(0.001, a + (b - a) * (at - i)));
}
