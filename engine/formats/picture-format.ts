// What kind of picture a file is, by its first bytes.

import { AppError } from "../base/errors.ts";

export type PictureFormat = "png" | "jpeg" | "webp" | "gif" | "tiff" | "avif" | "heic" | "bmp";

/** Number of first bytes that {@link pictureFormat} looks at. */
export const PICTURE_HEAD = 64;

/** Whether a file calls itself a picture, one that cannot be read (HEIC) included: it is to be refused by its name, not passed over. */
export function isPictureName(name: string): boolean {
  return /\.(png|jpe?g|webp|gif|tiff?|avif|hei[cf]|bmp)(?: \[\w+\])?$/i.test(name);
}

/** The format of a picture that can be read. @param name for messages @throws AppError IMAGE_FORMAT */
export function expectPicture(bytes: Uint8Array, name: string): Exclude<PictureFormat, "heic"> {
  const format = pictureFormat(bytes);
  if (format === undefined)
    throw new AppError(
      "IMAGE_FORMAT",
      `${name} is not a picture that can be read: ${bytes.length === 0 ? "it is empty" : `it begins with ${headOf(bytes)}`}`,
      {
        hint: "PNG, JPEG, WebP, GIF, TIFF, AVIF and BMP are read: convert it to one of these",
      },
    );
  if (format === "heic")
    throw new AppError("IMAGE_FORMAT", `${name} is a HEIC picture: its codec is patented, and not built in`, {
      hint: "convert it to JPEG or PNG; an iPhone takes JPEG with Settings › Camera › Formats › Most Compatible",
    });
  return format;
}

/** The first bytes as text, where they are text, else in hexadecimal. */
function headOf(bytes: Uint8Array): string {
  const head = bytes.subarray(0, 12);
  return head.every((b) => b >= 0x20 && b < 0x7f)
    ? JSON.stringify(String.fromCharCode(...head))
    : Array.from(head.subarray(0, 8), (b) => b.toString(16).padStart(2, "0")).join(" ");
}

/** Undefined for what is no picture. `heic` is recognised, but cannot be read: its codec is patented. */
export function pictureFormat(bytes: Uint8Array): PictureFormat | undefined {
  const ascii = (from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));
  if (ascii(0, 8) === "\x89PNG\r\n\x1a\n") return "png";
  if (ascii(0, 3) === "\xff\xd8\xff") return "jpeg";
  if (ascii(0, 4) === "RIFF" && ascii(8, 12) === "WEBP") return "webp";
  if (ascii(0, 6) === "GIF87a" || ascii(0, 6) === "GIF89a") return "gif";
  if (["II*\0", "MM\0*", "II+\0", "MM\0+"].includes(ascii(0, 4))) return "tiff";
  if (ascii(0, 2) === "BM" && bytes.length >= 18 && [12, 40, 52, 56, 64, 108, 124].includes(bytes[14] ?? 0)) return "bmp";
  if (ascii(4, 8) === "ftyp") return ofBrands(ascii(8, 12), ascii(16, Math.min(PICTURE_HEAD, 256 * (bytes[2] ?? 0) + (bytes[3] ?? 0))));
  return undefined;
}

/** ISO base media: the major brand, then four bytes of version, then all compatible brands. */
function ofBrands(major: string, compatible: string): PictureFormat | undefined {
  const brands = new Set([major, ...(compatible.match(/.{4}/gs) ?? [])]);
  if (brands.has("avif") || brands.has("avis")) return "avif";
  return ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"].some((b) => brands.has(b)) ? "heic" : undefined;
}
