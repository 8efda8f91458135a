import { AppError } from "../../../engine/base/errors.ts";
import { x0Of } from "../../shared/diffusion/steps.ts";
import type { MicroResult } from "../loop/train-loop.ts";
import { GradientSum, type ObjectiveOptions, type Situation } from "../objective.ts";
import { addPretrain } from "./add-pretrain.ts";
import { anchor } from "./anchor.ts";
import { rewardGradient } from "./reward-gradient.ts";
import { guidedVelocity, rollout, scaled } from "./rollout.ts";

/**
 * Steps whose evaluation may carry the gradient: indices i into σ_0 … σ_T with Ts ≤ T − i ≤ Te and σ_i within the range.
 * @throws AppError TRAIN_WINDOW when none is left.
 */
export function windowSteps(sigmas: readonly number[], options: Pick<ObjectiveOptions, "window" | "sigmaRange">): readonly number[] {
  const T = sigmas.length - 1;
  const steps: number[] = [];
  for (let i = 0; i < T; i++) {
    const t = T - i;
    const sigma = sigmas[i] ?? 0;
    if (t >= options.window[0] && t <= options.window[1] && sigma >= options.sigmaRange[0] && sigma <= options.sigmaRange[1]) steps.push(i);
  }
  if (steps.length === 0) {
    const table = sigmas.slice(0, -1).map((sigma, i) => `t=${T - i}: ${sigma.toFixed(3)}`);
    const shown = table.length > 24 ? ["…", ...table.slice(-24)] : table;
    throw new AppError("TRAIN_WINDOW", `no step of ${T} lies in the window [${options.window}] with σ in [${options.sigmaRange}]`, {
      hint: `the steps' σ are ${shown.join(", ")}`,
    });
  }
  return steps;
}

/**
 * ReReFL (UMO, arXiv 2509.06818, Algorithm 1): no-grad rollout to a step t drawn from the late window, one evaluation with
 * gradient there, x̂0 = x_t − σ_t·v → VAE → reward; plus λ times the flow-matching loss on the target.
 */
export async function rerefl(s: Situation): Promise<MicroResult> {
  const steps = windowSteps(s.sigmas, s.options);
  const i = steps[s.rng.below(steps.length)] ?? 0;
  const x = (await rollout(s, i)).at(-1) ?? new Float32Array();
  const sum = new GradientSum();
  const sigma = s.sigmas[i] ?? 0;
  const logs = await oneEvaluation(s, sum, x, sigma);
  return addPretrain(s, sum, { ...logs, sigma });
}

/** Adds the gradient of share·w·(−R(x − σ·v_θ(x, σ))) and of the anchor there. @param share of an average over several. */
export async function oneEvaluation(
  s: Situation,
  sum: GradientSum,
  x: Float32Array,
  sigma: number,
  share = 1,
): Promise<Record<string, number>> {
  const guided = await guidedVelocity(s, x, sigma);
  const { dx0, logs } = await rewardGradient(s, x0Of(x, guided.v, sigma), sigma);
  if (dx0) {
    const cotangent = scaled(dx0, -sigma * sigmaBoost(s.options, sigma) * share, guided.factor);
    const back = await s.runner.vjp(s.example.conditional, { x, sigma, cotangent, target: await anchor(s, x, sigma, share) });
    sum.add(back.grads);
    if (s.options.anchorBeta > 0) logs.anchor = back.mse;
  }
  return logs;
}

/** Compensates for ∂x̂0/∂v = −σ, which makes late steps weak: min(cap, 1/σ), or 1. */
export function sigmaBoost({ sigmaRescaleCap }: Pick<ObjectiveOptions, "sigmaRescaleCap">, sigma: number): number {
  return sigmaRescaleCap > 0 ? Math.min(sigmaRescaleCap, 1 / sigma) : 1;
}
