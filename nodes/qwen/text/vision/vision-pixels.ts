import type { Image } from "../../../shared/contracts/data.ts";
import { bicubicResize } from "../../../shared/pictures/resize/bicubic.ts";
import { bilinearResize } from "../../../shared/pictures/resize/bilinear.ts";
import { firstPicture } from "../first-picture.ts";
import { normalisePlanes } from "./patchify.ts";
import { smartResize } from "./smart-resize.ts";
import type { PatchGrid } from "./windows.ts";

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
