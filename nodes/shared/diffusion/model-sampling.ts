import { AppError } from "../../../engine/base/errors.ts";
import type { ModelSampling } from "../contracts/diffusion.ts";

/** Shift of Qwen-Image in ComfyUI when no ModelSampling node is in the workflow. */
export const DEFAULT_FLUX_SHIFT = 1.15;

/**
 * ComfyUI's noise levels of a flow model.
 * @param shift ModelSamplingAuraFlow's: σ(t) = s·t/(1 + (s − 1)·t) on 1000 times; undefined = ModelSamplingFlux's
 * e^1.15/(e^1.15 + 1/t − 1) on 10000. Every operation is rounded to float32, as ComfyUI's tensors are.
 * @throws AppError SAMPLING_SHIFT
 */
export function modelSampling(shift?: number): ModelSampling {
  const r = Math.fround;
  if (shift !== undefined && !(shift > 0))
    throw new AppError("SAMPLING_SHIFT", `shift ${shift} makes every noise level 0`, { hint: "use a shift above 0, such as 3" });
  const sigma =
    shift === undefined
      ? (t: number) => r(Math.exp(DEFAULT_FLUX_SHIFT) / r(Math.exp(DEFAULT_FLUX_SHIFT) + r(r(1 / r(t)) - 1)))
      : (t: number) => (shift === 1 ? r(t) : r(r(r(shift) * r(t)) / r(1 + r(r(shift - 1) * r(t)))));
  const times = shift === undefined ? 10000 : 1000;
  return { id: `flow-shift:${shift ?? "flux"}`, table: Float32Array.from({ length: times }, (_, i) => sigma((i + 1) / times)), sigma };
}
