import type { VjpRequest } from "../model/model-runner.ts";
import type { Situation } from "../objective.ts";

/** The anchor β·mean((v_θ − v_0)²) as a target of the backward at (x, σ): v_0 is the model before training. Null when β = 0. */
export async function anchor(s: Situation, x: Float32Array, sigma: number, share: number): Promise<VjpRequest["target"]> {
  const { anchorBeta } = s.options;
  return anchorBeta > 0 ? { v: await s.runner.velocity(s.example.conditional, x, sigma, "untrained"), weight: anchorBeta * share } : null;
}
