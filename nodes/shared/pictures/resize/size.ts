import { AppError } from "../../../../engine/base/errors.ts";
import { roundHalfEven } from "../../../../engine/base/round-half-even.ts";
import type { Tensor } from "../../../../engine/tensor/tensor.ts";

/** In pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Multiples of 32 nearest to `area` pixels at the given aspect (diffusers, `pipeline_qwenimage_edit.calculate_dimensions`). */
export function calculateDimensions(area: number, { width, height }: PictureSize): PictureSize {
  const ratio = width / height;
  const w = Math.sqrt(area * ratio);
  const h = w / ratio;
  const snap = (side: number) => Math.max(32, roundHalfEven(side / 32) * 32);
  return { width: snap(w), height: snap(h) };
}

/** The size whose longer side is `longest`, in the aspect of [B, H, W, …] (ComfyUI, `ImageScaleToMaxDimension`). */
export function longerSide([, h = 0, w = 0]: readonly number[], longest: number): PictureSize {
  return h > w
    ? { width: roundHalfEven((w / h) * longest), height: longest }
    : { width: longest, height: roundHalfEven((h / w) * longest) };
}

/** Most pixels a picture may have: 64 × 2^20. */
export const MAX_PIXELS = 64 * 2 ** 20;

/**
 * Dimensions of a batch [B, H, W, C] and a checked size to bring it to.
 * @throws AppError IMAGE_SHAPE when it is not a batch of pictures or is empty, IMAGE_SIZE when the size is not of whole pixels,
 * at least 1, at most 64 megapixels.
 */
export function checkedResize(image: Tensor<"float32">, { width, height }: PictureSize) {
  const [batch = 0, h = 0, w = 0, channels = 0] = image.shape;
  if (image.shape.length !== 4 || batch * h * w * channels === 0)
    throw new AppError("IMAGE_SHAPE", `pictures are [B, H, W, C] and not empty, got [${image.shape}]`);
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1 || width * height > MAX_PIXELS)
    throw new AppError("IMAGE_SIZE", `a picture cannot be resized to ${width} × ${height}`, {
      hint: "sides are whole numbers of pixels from 1, and their product is at most 64 megapixels",
    });
  return { batch, h, w, channels, shape: [batch, height, width, channels] };
}
