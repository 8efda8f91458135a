import { AppError } from "../../../../engine/base/errors.ts";
import { roundHalfEven } from "../../../../engine/base/round-half-even.ts";

/** Qwen2.5-VL's bounds on the pixel count of a picture. */
const MIN_PIXELS = 3136;
const MAX_PIXELS = 12845056;
const MAX_ASPECT = 200;

/**
 * The size the vision tower sees: both sides multiples of `factor` (patch · merge, 28), the pixel count within bounds, the aspect kept
 * (transformers, `image_processing_qwen2_vl.smart_resize`).
 * @throws AppError VISION_ASPECT when one side is more than 200 times the other
 */
export function smartResize(height: number, width: number, factor = 28): { readonly height: number; readonly width: number } {
  if (!(height > 0 && width > 0) || Math.max(height, width) / Math.min(height, width) > MAX_ASPECT)
    throw new AppError("VISION_ASPECT", `a picture of ${width}×${height} pixels is too elongated for the vision tower`, {
      hint: `crop it: the longer side may be at most ${MAX_ASPECT} times the shorter`,
    });
  const h = roundHalfEven(height / factor) * factor;
  const w = roundHalfEven(width / factor) * factor;
  if (h * w > MAX_PIXELS) {
    const beta = Math.sqrt((height * width) / MAX_PIXELS);
    const down = (side: number) => Math.max(factor, Math.floor(side / beta / factor) * factor);
    return { height: down(height), width: down(width) };
  }
  if (h * w < MIN_PIXELS) {
    const beta = Math.sqrt(MIN_PIXELS / (height * width));
    const up = (side: number) => Math.ceil((side * beta) / factor) * factor;
    return { height: up(height), width: up(width) };
  }
  return { height: h, width: w };
}
