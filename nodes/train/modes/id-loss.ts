import { globalNorm } from "../../../engine/nn/adamw.ts";
import { addNoise, x0Of } from "../../shared/diffusion/steps.ts";
import type { MicroResult } from "../loop/train-loop.ts";
import type { Situation } from "../objective.ts";
import { sigmaBoost } from "./rerefl.ts";
import { rewardGradient } from "./reward-gradient.ts";
import { scaled } from "./rollout.ts";

/**
 * Identity loss on the noised target, without rollout (WithAnyone, arXiv 2510.14975): σ uniform in the range, x_σ from the
 * training pair, one evaluation, x̂0 = x_σ − σ·v, and a reward that aligns with the TARGET's landmarks. Both losses share the
 * evaluation; there is no guidance.
 */
export async function idLoss(s: Situation): Promise<MicroResult> {
  const { x0 } = s.example;
  const [low, high] = s.options.sigmaRange;
  const sigma = low + (high - low) * s.rng.uniform();
  const eps = s.rng.normals(new Float32Array(x0.length));
  const x = addNoise(x0, eps, sigma);
  const target = x0.map((z, i) => (eps[i] ?? 0) - z);
  const v = await s.runner.velocity(s.example.conditional, x, sigma);
  const { dx0, logs } = await rewardGradient(s, x0Of(x, v, sigma), sigma);
  const back = await s.runner.vjp(s.example.conditional, {
    x,
    sigma,
    cotangent: dx0 ? scaled(dx0, -sigma * sigmaBoost(s.options, sigma), null) : null,
    target: { v: target, weight: s.options.lambda },
  });
  return { grads: back.grads, logs: { ...logs, loss_pretrain: back.mse, "grad_norm.both": globalNorm(back.grads), sigma } };
}
