// The sizes pictures are brought to before an encoder sees them.
import { roundHalfEven } from "../../../engine/base/round-half-even.ts";
import type { PictureSize } from "../../shared/pictures/resize/size.ts";

/** ComfyUI's TextEncodeQwenImageEdit and Plus: about `area` pixels at the same aspect, in multiples of `step`. */
export function scaleToArea(area: number, { width, height }: PictureSize, step = 1): PictureSize {
  const scale = Math.sqrt(area / (width * height));
  const snap = (side: number) => Math.max(step, roundHalfEven((side * scale) / step) * step);
  return { width: snap(width), height: snap(height) };
}
