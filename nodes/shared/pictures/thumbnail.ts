import sharp from "sharp";
import { expectPicture } from "../../../engine/formats/picture-format.ts";
import { decodePicture } from "./codec.ts";

/** A small webp, upright, at most `width` pixels across; never larger than the picture. @throws AppError as {@link decodePicture} */
export async function thumbnail(bytes: Uint8Array, name: string, width: number): Promise<Uint8Array> {
  const { rgb, width: from, height } = await decodePicture(bytes, name);
  return sharp(rgb, { raw: { width: from, height, channels: 3 } })
    .resize({ width, withoutEnlargement: true })
    .webp({ quality: 80 })
    .toBuffer();
}

/** Decodes the whole picture, so that a damaged one is refused. @throws AppError as {@link decodePicture} */
export async function checkPicture(
  bytes: Uint8Array,
  name: string,
): Promise<{ readonly format: ReturnType<typeof expectPicture>; readonly width: number; readonly height: number }> {
  const { width, height } = await decodePicture(bytes, name);
  return { format: expectPicture(bytes, name), width, height };
}
