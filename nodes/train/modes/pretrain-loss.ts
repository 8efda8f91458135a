import { addNoise } from "../../shared/diffusion/steps.ts";
import type { VjpResult } from "../model/model-runner.ts";
import type { Situation } from "../objective.ts";

/**
 * Flow-matching loss on the target picture: x_σ = (1−σ)·x0 + σ·ε, L = mean((v_θ(x_σ, σ) − (ε − x0))²), its gradient scaled
 * by λ. σ is drawn first: u = sigmoid(n) with n standard normal (logit-normal(0, 1), Esser et al. 2024, SD3 §3.1), shifted as the
 * model's schedule is, and kept off 0 and 1, where v is undefined; then ε.
 */
export async function pretrainLoss(s: Situation): Promise<VjpResult> {
  const { x0, target } = s.example;
  const sigma = Math.min(0.999, Math.max(0.001, s.schedule.sigmaOfLogit(s.rng.normal(), target)));
  const eps = s.rng.normals(new Float32Array(x0.length));
  const v = x0.map((z, i) => (eps[i] ?? 0) - z);
  return s.runner.vjp(s.example.conditional, {
    x: addNoise(x0, eps, sigma),
    sigma,
    cotangent: null,
    target: { v, weight: s.options.lambda },
  });
}
