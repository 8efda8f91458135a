import sharp from "sharp";
import { expectPicture } from "../../../engine/formats/picture-format.ts";
import { decodePicture, withAlpha } from "./codec.ts";

/**
 * A small webp, upright, at most `width` pixels across; never larger than the picture.
 * @param opaque without the picture's transparency @throws AppError as {@link decodePicture}
 */
export async function thumbnail(
  bytes: Uint8Array,
  name: string,
  { width, opaque = false }: { readonly width: number; readonly opaque?: boolean },
): Promise<Uint8Array> {
  const { rgb, width: from, height, alpha } = await decodePicture(bytes, name);
  const raw = { width: from, height };
  const picture =
    alpha && !opaque ? sharp(withAlpha(rgb, alpha), { raw: { ...raw, channels: 4 } }) : sharp(rgb, { raw: { ...raw, channels: 3 } });
  return picture.resize({ width, withoutEnlargement: true }).webp({ quality: 80 }).toBuffer();
}

/** Decodes the whole picture, so that a damaged one is refused. @throws AppError as {@link decodePicture} */
export async function checkPicture(
  bytes: Uint8Array,
  name: string,
): Promise<{ readonly format: ReturnType<typeof expectPicture>; readonly width: number; readonly height: number }> {
  const { width, height } = await decodePicture(bytes, name);
  return { format: expectPicture(bytes, name), width, height };
}
