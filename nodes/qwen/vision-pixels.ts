import { bicubicResize } from "../shared/resize/bicubic.ts";
import { bilinearResize } from "../shared/resize/bilinear.ts";
import type { Image } from "../shared/sockets.ts";
import { firstPicture } from "./text-first-picture.ts";
import type { PatchGrid } from "./vision-layout.ts";
import { normalisePlanes } from "./vision-patches.ts";
import { smartResize } from "./vision-smart-resize.ts";

/**
 * The picture as the vision tower takes it: resized to multiples of patch · merge, normalised, as planes [3,H,W].
 * @param resample diffusers: bicubic with antialiasing on 8-bit values (the processor of transformers); comfyui: bilinear without
 * antialiasing on floats
 */
export function visionPixels(
  image: Image,
  resample: "diffusers" | "comfyui",
  patch: number,
  merge: number,
): { readonly planes: Float32Array; readonly grid: PatchGrid } {
  const { picture, size } = firstPicture(image);
  const target = smartResize(size.height, size.width, patch * merge);
  const { data } = resample === "diffusers" ? bicubicResize(picture, target) : bilinearResize(picture, target);
  return { planes: normalisePlanes(data), grid: { h: target.height / patch, w: target.width / patch } };
}
