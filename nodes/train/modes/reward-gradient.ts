import type { Compute } from "../../../engine/ir/compute.ts";
import type { Example } from "../../shared/contracts/data.ts";
import type { RewardContext } from "../../shared/contracts/modules.ts";
import { observationNumbers } from "../../shared/rewards/observation-numbers.ts";
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
  const observation = await s.reward.observe(image, { ...contextOf(s.compute, s.example.example), sigma });
  const seen = observationNumbers(observation.info, "reward.");
  if (observation.skip !== undefined) return { dx0: null, logs: { ...seen, reward_skipped: 1 } };
  const { reward, parts, dx0 } = await s.runner.reward(s.example.target, x0, s.reward, observation);
  const weight = s.options.rewardWeight;
  // Per element of x̂0: how steep the reward is at the current picture, whatever the step.
  const steepness = Math.sqrt(dx0.reduce((sum, g) => sum + g * g, 0) / dx0.length);
  const logs: Record<string, number> = { ...seen, reward, reward_skipped: 0, reward_slope: steepness };
  for (const [name, value] of Object.entries(parts)) logs[`reward.${name}`] = value;
  return { dx0: dx0.map((g) => g * weight), logs };
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
