import { f32 } from "../../engine/tensor/tensor.ts";
import type { Image, Mask } from "../shared/contracts/data.ts";

/** Masks [B, H, W] as grey pictures [B, H, W, 3]. */
export function maskImage(mask: Mask): Image {
  const [h = 0, w = 0] = mask.shape.slice(-2);
  return f32(
    [mask.data.length / (h * w), h, w, 3],
    Float32Array.from({ length: mask.data.length * 3 }, (_, i) => mask.data[Math.floor(i / 3)] ?? 0),
  );
}
