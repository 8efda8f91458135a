// The only door to sharp: bytes of a picture file to pixels and back.
import sharp from "sharp";
import { AppError, toAppError } from "../../../engine/base/errors.ts";
import { MAX_PIXELS } from "./resize/size.ts";

/** Longest side of a picture, JPEG's own limit. */
const MAX_SIDE = 65_500;

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3], 8 bits. */
  readonly rgb: Uint8Array;
  /** [height, width], 8 bits; undefined when the file has no transparency. */
  readonly alpha: Uint8Array | undefined;
}

/** What the first bytes say: nothing else is handed to the decoders. */
export function formatOf(bytes: Uint8Array): "png" | "jpeg" | "webp" | undefined {
  const ascii = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (ascii(0, 8) === "\x89PNG\r\n\x1a\n") return "png";
  if (ascii(0, 3) === "\xff\xd8\xff") return "jpeg";
  if (ascii(0, 4) === "RIFF" && ascii(8, 12) === "WEBP") return "webp";
  return undefined;
}

/**
 * Decodes a PNG, JPEG or WebP: upright (EXIF orientation applied), 8-bit RGB as stored (no colour management), the first picture
 * of several. Size is read from the header first, so a picture that unpacks to gigabytes is never unpacked.
 * @param name for messages
 * @throws AppError IMAGE_FORMAT (another kind of file), IMAGE_TOO_LARGE (a side above 65,500 or more than 64 megapixels),
 * IMAGE_CORRUPT
 */
export async function decodePicture(bytes: Uint8Array, name: string): Promise<Picture> {
  if (!formatOf(bytes))
    throw new AppError("IMAGE_FORMAT", `${name} is not a PNG, JPEG or WebP picture`, { hint: "convert it to one of these" });
  const corrupt = (cause: unknown): AppError =>
    new AppError("IMAGE_CORRUPT", `${name} cannot be decoded: ${toAppError(cause).message.split("\n")[0]}`, {
      cause,
      hint: "the file is damaged or incomplete: save it again",
    });
  const header = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw corrupt(cause);
    });
  const { width, height } = header;
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS)
    throw new AppError("IMAGE_TOO_LARGE", `${name} has ${width} × ${height} pixels`, {
      hint: `sides up to ${MAX_SIDE} and 64 megapixels are read: scale it down first`,
    });
  const { data, info } = await sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: "error", ignoreIcc: true, autoOrient: true })
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw corrupt(cause);
    });
  if (info.channels !== 3 && info.channels !== 4) throw corrupt(new Error(`it has ${info.channels} channels`));
  if (info.channels === 3) return { width: info.width, height: info.height, rgb: data, alpha: undefined };
  const count = info.width * info.height;
  const rgb = new Uint8Array(count * 3);
  const alpha = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    rgb[3 * i] = data[4 * i] ?? 0;
    rgb[3 * i + 1] = data[4 * i + 1] ?? 0;
    rgb[3 * i + 2] = data[4 * i + 2] ?? 0;
    alpha[i] = data[4 * i + 3] ?? 0;
  }
  return { width: info.width, height: info.height, rgb, alpha };
}

/** A PNG of [height, width, 3] 8-bit RGB. */
export async function encodePng(rgb: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  return sharp(rgb, { raw: { width, height, channels: 3 }, limitInputPixels: MAX_PIXELS })
    .png({ compressionLevel: 4 })
    .toBuffer();
}
