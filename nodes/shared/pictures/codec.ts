// The only door to sharp: bytes of a picture file to pixels and back.
import { parse } from "icc";
import sharp from "sharp";
import { AppError, toAppError } from "../../../engine/base/errors.ts";
import { bmpSize, decodeBmp } from "../../../engine/formats/bmp.ts";
import { expectPicture, type PictureFormat } from "../../../engine/formats/picture-format.ts";
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
  /** What a person should know about it: whole sentences that name the file. */
  readonly notes: readonly string[];
}

/** What is done with a colour profile that is not sRGB's. */
export type ColorProfile = "ignore" | "convert";

/**
 * Decodes a picture: upright (EXIF orientation applied), 8-bit RGB, the first picture of several. Size is read from the header first,
 * so a picture that unpacks to gigabytes is never unpacked.
 * @param name for messages
 * @param profile `ignore` (as ComfyUI): the numbers as stored; `convert`: to sRGB
 * @throws AppError IMAGE_FORMAT (another kind of file), IMAGE_TOO_LARGE (a side above 65,500 or more than 64 megapixels),
 * IMAGE_CORRUPT
 */
export async function decodePicture(bytes: Uint8Array, name: string, profile: ColorProfile = "ignore"): Promise<Picture> {
  const header = await pictureHeader(bytes, name);
  const about = { notes: notesOf(header.profile, name, profile) };
  if (header.format === "bmp") {
    const { width, height, rgb, alpha } = ofFile(name, () => decodeBmp(bytes));
    return { width, height, rgb, alpha, ...about };
  }
  const { data, info } = await sharp(bytes, {
    limitInputPixels: MAX_PIXELS,
    failOn: "error",
    ignoreIcc: profile === "ignore",
    autoOrient: true,
  })
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw corrupt(name, cause);
    });
  if (info.channels !== 3 && info.channels !== 4) throw corrupt(name, new Error(`it has ${info.channels} channels`));
  if (info.channels === 3) return { width: info.width, height: info.height, rgb: data, alpha: undefined, ...about };
  const count = info.width * info.height;
  const rgb = new Uint8Array(count * 3);
  const alpha = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    rgb[3 * i] = data[4 * i] ?? 0;
    rgb[3 * i + 1] = data[4 * i + 1] ?? 0;
    rgb[3 * i + 2] = data[4 * i + 2] ?? 0;
    alpha[i] = data[4 * i + 3] ?? 0;
  }
  if (!alpha.some((a) => a > 0))
    about.notes.push(`${name} is transparent everywhere: what is used is the colour behind the transparency, which no viewer shows`);
  return { width: info.width, height: info.height, rgb, alpha, ...about };
}

/** Numbers of a file that stand for 0 to 100 %. Others have no fixed white. */
const DEPTHS = new Set(["char", "uchar", "short", "ushort"]);

/** What a header says of a picture that may be decoded. @throws AppError as {@link decodePicture} */
export async function pictureHeader(
  bytes: Uint8Array,
  name: string,
): Promise<{ readonly format: PictureFormat; readonly profile: Uint8Array | undefined }> {
  const format = expectPicture(bytes, name);
  const { width, height, icc, depth } =
    format === "bmp"
      ? { ...ofFile(name, () => bmpSize(bytes)), icc: undefined, depth: "uchar" }
      : await sharp(bytes, { limitInputPixels: false })
          .metadata()
          .catch((cause: unknown) => {
            throw corrupt(name, cause);
          });
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS)
    throw new AppError("IMAGE_TOO_LARGE", `${name} has ${width} × ${height} pixels`, {
      hint: `sides up to ${MAX_SIDE} and 64 megapixels are read: scale it down first`,
    });
  if (!DEPTHS.has(depth ?? "uchar"))
    throw new AppError("IMAGE_FORMAT", `${name} holds numbers of type ${depth}, which have no fixed white`, {
      hint: "save it with 8 or 16 bits a channel",
    });
  return { format, profile: icc };
}

function corrupt(name: string, cause: unknown): AppError {
  return new AppError("IMAGE_CORRUPT", `${name} cannot be decoded: ${toAppError(cause).message.split("\n")[0]}`, {
    cause,
    hint: "the file is damaged or incomplete: save it again",
  });
}

function ofFile<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw corrupt(name, cause);
  }
}

/** A word about a profile that is not sRGB's: ignoring it shifts the colours. */
function notesOf(profile: Uint8Array | undefined, name: string, use: ColorProfile): string[] {
  if (!profile) return [];
  const own = profileName(profile);
  if (own === undefined) return [`${name} has a colour profile that can't be read: its numbers are used as they are stored`];
  // Names of sRGB: its own, and those of the small versions that web services embed.
  if (use === "convert" || /sRGB|^(c2|uRGB)$/i.test(own)) return [];
  const which = own === "" ? "a colour profile without a name" : `the colour profile ${JSON.stringify(own)}`;
  return [
    `${name} has ${which}, which is ignored, as ComfyUI does: its colours shift a little. ` +
      "LoadImage converts it to sRGB with color_profile = convert",
  ];
}

/** What a profile calls itself; undefined when it is damaged. */
function profileName(profile: Uint8Array): string | undefined {
  try {
    return parse(Buffer.from(profile)).description ?? "";
  } catch {
    return undefined;
  }
}

/** RGB [height, width, 3] and alpha [height, width] as RGBA. */
export function withAlpha(rgb: Uint8Array, alpha: Uint8Array): Uint8Array {
  const out = new Uint8Array(alpha.length * 4);
  for (let i = 0; i < alpha.length; i++) {
    out[4 * i] = rgb[3 * i] ?? 0;
    out[4 * i + 1] = rgb[3 * i + 1] ?? 0;
    out[4 * i + 2] = rgb[3 * i + 2] ?? 0;
    out[4 * i + 3] = alpha[i] ?? 0;
  }
  return out;
}

/** A PNG of [height, width, 3] 8-bit RGB. */
export async function encodePng(rgb: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  return sharp(rgb, { raw: { width, height, channels: 3 }, limitInputPixels: MAX_PIXELS })
    .png({ compressionLevel: 4 })
    .toBuffer();
}

/** A JPEG of [height, width, 3] 8-bit RGB, for showing. @param options.largest longest side: a larger picture is made smaller */
export async function encodeJpeg(
  rgb: Uint8Array,
  width: number,
  height: number,
  { quality, largest }: { readonly quality: number; readonly largest: number },
): Promise<Uint8Array> {
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .resize({ width: largest, height: largest, fit: "inside", withoutEnlargement: true })
    .jpeg({ quality })
    .toBuffer();
}

/** 8-bit RGB through JPEG and back, with halved colour resolution, as cameras and the web do. @param quality 1–100 */
export async function jpegRoundTrip(rgb: Uint8Array, width: number, height: number, quality: number): Promise<Uint8Array> {
  const file = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality, chromaSubsampling: "4:2:0" })
    .toBuffer();
  return sharp(file).toColourspace("srgb").raw({ depth: "uchar" }).toBuffer();
}
