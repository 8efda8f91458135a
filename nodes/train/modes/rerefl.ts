import { AppError } from "../../../engine/base/errors.ts";
import { GradientSum, type ObjectiveOptions, type Situation } from "../objective.ts";
import type { MicroResult } from "../train-loop.ts";
import { pretrainLoss } from "./pretrain-loss.ts";
import { rewardGradient } from "./reward-gradient.ts";
import { euler, guidedVelocity, rollout, scaled } from "./rollout.ts";

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
  if (steps.length === 0)
    throw new AppError("TRAIN_WINDOW", `no step of ${T} lies in the window [${options.window}] with σ in [${options.sigmaRange}]`, {
      hint: `σ of the last steps: ${sigmas
        .slice(-6, -1)
        .map((x) => x.toFixed(3))
        .join(", ")}`,
    });
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
  return oneEvaluation(s, x, s.sigmas[i] ?? 0);
}

/** The gradient part shared by every mode with a single evaluation at (x, σ). */
export async function oneEvaluation(s: Situation, x: Float32Array, sigma: number): Promise<MicroResult> {
  const sum = new GradientSum();
  const guided = await guidedVelocity(s, x, sigma);
  const { dx0, logs } = await rewardGradient(s, euler(x, guided.v, -sigma));
  if (dx0) {
    const cap = s.options.sigmaRescaleCap;
    const boost = cap > 0 ? Math.min(cap, 1 / sigma) : 1;
    const cotangent = scaled(dx0, -sigma * boost, guided.factor);
    sum.add((await s.runner.vjp(s.example, { x, sigma, cotangent, target: null })).grads);
  }
  if (s.options.lambda > 0) {
    const pretrain = await pretrainLoss(s);
    sum.add(pretrain.grads);
    logs.loss_pretrain = pretrain.mse;
  }
  return { grads: sum.grads.size > 0 ? sum.grads : null, logs: { ...logs, sigma } };
}
