// The sizes pictures are brought to before an encoder sees them.
import { roundHalfEven } from "../../engine/base/round-half-even.ts";
import type { PictureSize } from "../shared/resize/size.ts";

/** Multiples of 32 nearest to `area` pixels at the given aspect (diffusers, `pipeline_qwenimage_edit.calculate_dimensions`). */
export function calculateDimensions(area: number, { width, height }: PictureSize): PictureSize {
  const ratio = width / height;
  const w = Math.sqrt(area * ratio);
  const h = w / ratio;
  const snap = (side: number) => Math.max(32, roundHalfEven(side / 32) * 32);
  return { width: snap(w), height: snap(h) };
}

/** ComfyUI's TextEncodeQwenImageEdit and Plus: about `area` pixels at the same aspect, in multiples of `step`. */
export function scaleToArea(area: number, { width, height }: PictureSize, step = 1): PictureSize {
  const scale = Math.sqrt(area / (width * height));
  const snap = (side: number) => Math.max(step, roundHalfEven((side * scale) / step) * step);
  return { width: snap(width), height: snap(height) };
}
