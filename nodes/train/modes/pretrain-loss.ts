import { shiftMu } from "../../shared/diffusion/flow-match-sigmas.ts";
import type { VjpResult } from "../model/model-runner.ts";
import type { Situation } from "../objective.ts";

/**
 * Flow-matching loss on the target picture: x_σ = (1−σ)·x0 + σ·ε, L = mean((v_θ(x_σ, σ) − (ε − x0))²), its gradient scaled
 * by λ. σ is drawn by {@link pretrainSigma}; then ε.
 */
export async function pretrainLoss(s: Situation): Promise<VjpResult> {
  const { x0, shape } = s.example;
  const sigma = pretrainSigma(s.rng.normal(), shape.target.h * shape.target.w);
  const eps = s.rng.normals(new Float32Array(x0.length));
  const x = x0.map((z, i) => (1 - sigma) * z + sigma * (eps[i] ?? 0));
  const v = x0.map((z, i) => (eps[i] ?? 0) - z);
  return s.runner.vjp(s.example, { x, sigma, cotangent: null, target: { v, weight: s.options.lambda } });
}

/**
 * σ of the pretrain loss: u = sigmoid(n) with n standard normal (logit-normal(0, 1), Esser et al. 2024, SD3 §3.1), shifted for
 * the number of target tokens as the sampler's schedule is: σ = e^μ/(e^μ + 1/u − 1). Kept off 0 and 1, where v is undefined.
 */
export function pretrainSigma(n: number, tokens: number): number {
  // 1/u − 1 = e^−n for u = sigmoid(n).
  const shift = Math.exp(shiftMu(tokens));
  return Math.min(0.999, Math.max(0.001, shift / (shift + Math.exp(-n))));
}
