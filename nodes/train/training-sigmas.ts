import { flowMatchSigmas } from "../shared/flow-match-sigmas.ts";
import type { GridSize } from "../shared/modules.ts";

/** σ_0 = 1 … σ_T = 0 of Qwen-Image-Edit's own scheduler for a target of this size. */
export function trainingSigmas(steps: number, target: GridSize): readonly number[] {
  return flowMatchSigmas(steps, target.h * target.w);
}
