import { AppError } from "../../../engine/base/errors.ts";
import type { Image } from "../contracts/data.ts";
import type { Pixels } from "./warp-image.ts";

/** Largest picture looked at: 64 megapixels. */
const MAX_PIXELS = 64 * 2 ** 20;

/**
 * One picture of a batch, without copying.
 * @throws AppError FACE_IMAGE when it is not [B, H, W, 3], is empty, or has more than 64 megapixels.
 */
export function pictureOf(image: Image, index: number): Pixels {
  const [batch = 0, height = 0, width = 0, channels = 0] = image.shape;
  if (image.shape.length !== 4 || channels !== 3)
    throw new AppError("FACE_IMAGE", `faces are looked for in pictures [B, H, W, 3], got [${image.shape}]`);
  if (height < 1 || width < 1 || index >= batch)
    throw new AppError("FACE_IMAGE", `there is no picture ${index} in a batch of shape [${image.shape}]`);
  if (height * width > MAX_PIXELS)
    throw new AppError("FACE_IMAGE", `a picture of ${width} × ${height} is too large to look for faces in: 64 megapixels is the limit`, {
      hint: "scale it down first",
    });
  const size = height * width * 3;
  return { data: image.data.subarray(index * size, (index + 1) * size), height, width };
}

/** Number of pictures in a batch. */
export function batchOf(image: Image): number {
  return image.shape[0] ?? 0;
}
