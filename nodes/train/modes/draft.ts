import { addNoise } from "../../shared/diffusion/steps.ts";
import type { MicroResult } from "../loop/train-loop.ts";
import { GradientSum, type Situation } from "../objective.ts";
import { addPretrain } from "./add-pretrain.ts";
import { anchor } from "./anchor.ts";
import { oneEvaluation } from "./rerefl.ts";
import { rewardGradient } from "./reward-gradient.ts";
import { guidanceFactor, rollout, scaled } from "./rollout.ts";

/**
 * DRaFT-K (Clark et al. 2024, arXiv 2309.17400): the reward of the fully sampled picture, differentiated through the last K
 * Euler steps x_{i+1} = x_i + Δσ_i·v(x_i): g_i = g_{i+1} + Δσ_i·(∂v/∂x)ᵀ g_{i+1}.
 */
export async function draft(s: Situation): Promise<MicroResult> {
  const T = s.sigmas.length - 1;
  const states = await rollout(s, T);
  const { dx0, logs } = await rewardGradient(s, states[T] ?? new Float32Array());
  const sum = new GradientSum();
  const k = Math.min(s.options.k, T);
  if (dx0) {
    let g = dx0;
    for (let i = T - 1; i >= T - k; i--) {
      const x = states[i] ?? new Float32Array();
      const sigma = s.sigmas[i] ?? 0;
      const cotangent = scaled(g, (s.sigmas[i + 1] ?? 0) - sigma, await guidanceFactor(s, x, sigma));
      const target = await anchor(s, x, sigma, 1 / k);
      const back = await s.runner.vjp(s.example.conditional, { x, sigma, cotangent, target, withInput: i > T - k });
      sum.add(back.grads);
      if (back.dx) g = g.map((z, j) => z + (back.dx?.[j] ?? 0));
    }
  }
  return addPretrain(s, sum, logs);
}

/**
 * DRaFT-LV (same paper, §4.2): the last step with gradient, and K more: the finished x0 is noised again to the last σ K times,
 * each denoised in one step. The mean over 1 + K has lower variance than one sample and needs no long chain.
 */
export async function draftLv(s: Situation): Promise<MicroResult> {
  const T = s.sigmas.length - 1;
  const sigma = s.sigmas[T - 1] ?? 0;
  const [last = new Float32Array(), x0 = new Float32Array()] = (await rollout(s, T)).slice(-2);
  const share = 1 / (1 + s.options.k);
  const sum = new GradientSum();
  const logs: Record<string, number> = {};
  const counts: Record<string, number> = {};
  for (let n = 0; n <= s.options.k; n++) {
    let x = last;
    if (n > 0) {
      const eps = s.rng.normals(new Float32Array(x0.length));
      x = addNoise(x0, eps, sigma);
    }
    for (const [name, value] of Object.entries(await oneEvaluation(s, sum, x, sigma, share))) {
      logs[name] = (logs[name] ?? 0) + value;
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  for (const name of Object.keys(logs)) logs[name] = (logs[name] ?? 0) / (counts[name] ?? 1);
  return addPretrain(s, sum, logs);
}

/**
 * FlowBP-Sparse: full no-grad rollout, the reward sees its true end (straight-through x̂0); the gradient enters at K steps
 * drawn with probability ∝ (i+1)², each evaluated on its cached, detached state: x̂0 = x_T + Σ Δσ_i·v_i.
 */
export async function flowbpSparse(s: Situation): Promise<MicroResult> {
  const T = s.sigmas.length - 1;
  const states = await rollout(s, T);
  const { dx0, logs } = await rewardGradient(s, states[T] ?? new Float32Array());
  const sum = new GradientSum();
  if (dx0) {
    const steps = lateBiased(T, s.options.k, () => s.rng.uniform());
    for (const i of steps) {
      const x = states[i] ?? new Float32Array();
      const sigma = s.sigmas[i] ?? 0;
      const cotangent = scaled(dx0, (s.sigmas[i + 1] ?? 0) - sigma, await guidanceFactor(s, x, sigma));
      const target = await anchor(s, x, sigma, 1 / steps.length);
      sum.add((await s.runner.vjp(s.example.conditional, { x, sigma, cotangent, target })).grads);
    }
  }
  return addPretrain(s, sum, logs);
}

/** K distinct indices of 0..T−1, later ones likelier: weights (i+1)². */
export function lateBiased(T: number, k: number, uniform: () => number): readonly number[] {
  const left = Array.from({ length: T }, (_, i) => i);
  const chosen: number[] = [];
  while (chosen.length < k && left.length > 0) {
    const total = left.reduce((sum, i) => sum + (i + 1) ** 2, 0);
    let r = uniform() * total;
    let at = 0;
    while (at < left.length - 1 && r >= ((left[at] ?? 0) + 1) ** 2) r -= ((left[at++] ?? 0) + 1) ** 2;
    chosen.push(...left.splice(at, 1));
  }
  return chosen.sort((a, b) => a - b);
}
