import type { GridSize } from "../../shared/contracts/modules.ts";
import { flowMatchSigmas } from "../../shared/diffusion/flow-match-sigmas.ts";

/** σ_0 = 1 … σ_T = 0 of Qwen-Image-Edit's own scheduler for a target of this size. */
export function trainingSigmas(steps: number, target: GridSize): readonly number[] {
  return flowMatchSigmas(steps, target.h * target.w);
}
