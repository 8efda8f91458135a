import type { Image } from "../contracts/data.ts";
import { lanczosResize } from "./resize/lanczos.ts";
import { calculateDimensions } from "./resize/size.ts";

/**
 * A picture as the text encoder sees it beside the prompt: about side² pixels, both sides multiples of 32 (diffusers' edit_plus
 * pipeline: CONDITION_IMAGE_SIZE, 384²). @param image [1, H, W, 3]
 */
export function visionPicture(image: Image, side: number): Image {
  const [, height = 0, width = 0] = image.shape;
  return lanczosResize(image, calculateDimensions(side ** 2, { width, height }));
}
