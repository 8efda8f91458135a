import { AppError } from "../../../engine/base/errors.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Image } from "../contracts/data.ts";
import { allFinite } from "../finite.ts";

/**
 * Picture `index` of a batch [B, H, W, 3] as 8-bit RGB: trunc(255·x) with x clamped to 0..1, as ComfyUI saves (in float32, where
 * v/255 gives v again).
 * @throws AppError IMAGE_SHAPE when it is not such a batch; IMAGE_NOT_FINITE: NaN would be saved as black
 */
export function pictureBytes(image: Image, index: number): { readonly rgb: Uint8Array; readonly width: number; readonly height: number } {
  const [batch = 0, height = 0, width = 0, channels = 0] = image.shape;
  if (image.shape.length !== 4 || channels !== 3 || index >= batch || height * width === 0)
    throw new AppError("IMAGE_SHAPE", `picture ${index} of a batch [B, H, W, 3] is wanted, got [${image.shape}]`);
  const size = height * width * 3;
  const values = image.data.subarray(index * size, (index + 1) * size);
  if (!allFinite(values))
    throw new AppError("IMAGE_NOT_FINITE", `picture ${index} holds NaN or Inf`, { hint: "look at the node that made it" });
  const rgb = new Uint8Array(size);
  for (let i = 0; i < size; i++) rgb[i] = Math.min(255, Math.max(0, Math.fround(255 * (values[i] ?? 0))));
  return { rgb, width, height };
}

/** 8-bit RGB [height, width, 3] as one picture [1, height, width, 3] in 0..1. */
export function imageOfBytes(rgb: Uint8Array, width: number, height: number): Image {
  const values = new Float32Array(rgb.length);
  // A loop: Float32Array.from goes through the iterator and takes most of a second for a large photograph.
  for (let i = 0; i < rgb.length; i++) values[i] = (rgb[i] ?? 0) / 255;
  return f32([1, height, width, 3], values);
}
