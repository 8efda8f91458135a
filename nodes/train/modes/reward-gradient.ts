import type { Compute } from "../../../engine/ir/compute.ts";
import type { Example } from "../../shared/contracts/data.ts";
import type { RewardContext } from "../../shared/contracts/modules.ts";
import { observationNumbers } from "../../shared/rewards/observation-numbers.ts";
import type { RewardResult } from "../model/model-runner.ts";
import type { Situation } from "../objective.ts";

export interface RewardGradient {
  /** w·∂(−R)/∂x0 in packed tokens; null when the reward skipped this picture. */
  readonly dx0: Float32Array | null;
  readonly logs: Record<string, number>;
}

/**
 * Decodes x0, lets the reward observe the picture (detection, assignment: no gradient) and differentiates it.
 * A skipped picture contributes nothing and is counted in `reward_skipped`. @param sigma the noise level x0 was predicted from; 0 = sampled to the end
 */
export async function rewardGradient(s: Situation, x0: Float32Array, sigma = 0): Promise<RewardGradient> {
  if (!s.reward) return { dx0: null, logs: {} };
  const image = await s.runner.decode(s.example.target, x0);
  // A detector sees nothing in a picture of NaN: that is no picture without a face.
  if (s.runner.notFinite !== undefined) return { dx0: null, logs: {} };
  const context = { ...contextOf(s.compute, s.example.example), sigma };
  const observation = await s.reward.observe(image, context);
  const guarded = s.guard && (await s.guard.observe(image, context));
  const info = guarded ? { objective: observation.info, constraint: guarded.info } : observation.info;
  const seen = observationNumbers(info, "reward.");
  if (observation.skip !== undefined || guarded?.skip !== undefined) return { dx0: null, logs: { ...seen, reward_skipped: 1 } };
  s.drew?.({ image, context });
  const own = await s.runner.reward(s.example.target, x0, s.reward, observation);
  const guard = s.guard && guarded && (await s.runner.reward(s.example.target, x0, s.guard, guarded));
  const { reward, parts, dx0 } = guard ? guardedBy(own, guard) : own;
  const weight = s.options.rewardWeight;
  // Per element of x̂0: how steep the reward is at the current picture, whatever the step.
  const steepness = Math.sqrt(dx0.reduce((sum, g) => sum + g * g, 0) / dx0.length);
  const logs: Record<string, number> = { ...seen, reward, reward_skipped: 0, reward_slope: steepness };
  for (const [name, value] of Object.entries(parts)) logs[`reward.${name}`] = value;
  if (guard) logs.gradient_cosine = cosine(own.dx0, guard.dx0);
  return { dx0: dx0.map((g) => g * weight), logs };
}

type Reading = Pick<RewardResult, "reward" | "parts" | "dx0">;

/** Both rewards together, under the names of a constraint; their gradient without what opposes the guard. */
function guardedBy(objective: Reading, guard: Reading): Reading {
  const parts: Record<string, number> = { objective: objective.reward, constraint: guard.reward };
  for (const [name, { parts: own }] of Object.entries({ objective, constraint: guard }))
    for (const [part, value] of Object.entries(own)) parts[`${name}.${part}`] = value;
  const free = withoutOpposition(objective.dx0, guard.dx0);
  return { reward: objective.reward + guard.reward, parts, dx0: free.map((g, i) => g + (guard.dx0[i] ?? 0)) };
}

/**
 * g without its component against h: g − min(0, g·h)/(h·h)·h (gradient surgery, PCGrad, arXiv 2001.06782, for one of the two). Taken at the
 * picture's latent x̂0, which both rewards share, so it costs no further backward pass through the model.
 */
export function withoutOpposition(g: Float32Array, h: Float32Array): Float32Array {
  const [along, length] = [dot(g, h), dot(h, h)];
  if (along >= 0 || length === 0) return g;
  return g.map((x, i) => x - (along / length) * (h[i] ?? 0));
}

function dot(a: Float32Array, c: Float32Array): number {
  return a.reduce((s, x, i) => s + x * (c[i] ?? 0), 0);
}

function cosine(a: Float32Array, c: Float32Array): number {
  const lengths = Math.sqrt(dot(a, a) * dot(c, c));
  return lengths === 0 ? 0 : dot(a, c) / lengths;
}

/** What a reward may know about the example besides the picture. */
export function contextOf(compute: Compute, example: Example): RewardContext {
  return {
    compute,
    references: { images: example.references, faces: example.referenceFaces },
    target: { image: example.target, faces: example.targetFaces },
    prompt: example.prompt,
  };
}
