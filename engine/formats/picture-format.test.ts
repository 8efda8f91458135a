import { expect, test } from "vitest";
import { expectPicture, isPictureName, PICTURE_HEAD, pictureFormat } from "./picture-format.ts";

const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
/** An ISO base media file type: major brand, version, compatible brands. */
const ftyp = (major: string, ...compatible: string[]) => {
  const size = 16 + 4 * compatible.length;
  return bytes(`\0\0${String.fromCharCode(size >> 8, size & 255)}ftyp${major}\0\0\0\0${compatible.join("")}`);
};
const bmp = (header: number, length = 18) => {
  const out = new Uint8Array(length);
  out.set(bytes("BM"));
  if (length > 14) out[14] = header;
  return out;
};

test.each([
  ["png", "\x89PNG\r\n\x1a\n...."],
  ["jpeg", "\xff\xd8\xff\xe0"],
  ["webp", "RIFF\0\0\0\0WEBPVP8 "],
  ["gif", "GIF87a"],
  ["gif", "GIF89a"],
  ["tiff", "II*\0"],
  ["tiff", "MM\0*"],
  ["tiff", "II+\0"],
  ["tiff", "MM\0+"],
] as const)("%s by its first bytes, and not with any of them changed", (format, text) => {
  expect(pictureFormat(bytes(text))).toBe(format);
  const signature = { png: 8, jpeg: 3, webp: 4, gif: 6, tiff: 4 }[format];
  for (let k = 0; k < signature; k++) {
    const changed = bytes(text);
    changed[k] = 0x7e;
    expect(pictureFormat(changed), `byte ${k}`).toBeUndefined();
  }
});

test("WebP is a RIFF file of that kind", () => {
  expect(pictureFormat(bytes("RIFF\0\0\0\0WAVEfmt "))).toBeUndefined();
});

test("a bitmap's header has one of the known sizes, and is there", () => {
  for (const size of [12, 40, 52, 56, 64, 108, 124]) expect(pictureFormat(bmp(size))).toBe("bmp");
  for (const size of [0, 13, 41]) expect(pictureFormat(bmp(size))).toBeUndefined();
  expect(pictureFormat(bmp(40, 17))).toBeUndefined();
});

test("AVIF and HEIC by their brands, the major one or any compatible one", () => {
  expect(["avif", "avis"].map((brand) => pictureFormat(ftyp(brand)))).toEqual(["avif", "avif"]);
  for (const brand of ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"])
    expect(pictureFormat(ftyp(brand)), brand).toBe("heic");
  expect(pictureFormat(ftyp("mif1", "miaf", "avif"))).toBe("avif");
  expect(pictureFormat(ftyp("isom", "mp41", "heic"))).toBe("heic");
  expect(pictureFormat(ftyp("isom", "mp41"))).toBeUndefined();
  // Four bytes across two brands are none; the version is none; what follows the box is none.
  expect(pictureFormat(ftyp("isom", "xxav", "ifxx"))).toBeUndefined();
  expect(pictureFormat(bytes("\0\0\0\x10ftypisomavif"))).toBeUndefined();
  expect(pictureFormat(Uint8Array.from([...ftyp("isom", "mp41"), ...bytes("avif")]))).toBeUndefined();
  // A box longer than what is looked at: as far as that.
  const long = ftyp("isom", ...new Array(11).fill("mp41"), "avif");
  expect([long.length, PICTURE_HEAD, pictureFormat(long)]).toEqual([64, 64, "avif"]);
  expect(pictureFormat(ftyp("isom", ...new Array(12).fill("mp41"), "avif"))).toBeUndefined();
  const large = ftyp("isom", "avif", ...new Array(70).fill("mp41"));
  expect([large.length > 256, pictureFormat(large)]).toEqual([true, "avif"]);
});

test("what cannot be read is refused with what it begins with", () => {
  const refused = (content: Uint8Array, message: string) =>
    expect(() => expectPicture(content, "a.png")).toThrow(
      expect.objectContaining({ code: "IMAGE_FORMAT", message: expect.stringContaining(message) }),
    );
  refused(new Uint8Array(), "a.png is not a picture that can be read: it is empty");
  refused(bytes("<svg xmlns=........"), 'it begins with "<svg xmlns=."');
  refused(bytes("\x1f~ \x7f12345678"), "it begins with 1f 7e 20 7f 31 32 33 34");
  refused(bytes("ab\x7f"), "it begins with 61 62 7f");
  refused(bytes("~ \x20~"), 'it begins with "~  ~"');
  refused(ftyp("heic"), "a.png is a HEIC picture");
  expect(expectPicture(bytes("GIF89a"), "a")).toBe("gif");
});

test("a file calls itself a picture by the end of its name, in either case, with or without the folder that ComfyUI adds", () => {
  for (const end of ["png", "jpg", "jpeg", "webp", "gif", "tif", "tiff", "avif", "heic", "heif", "bmp", "PNG", "Jpg"])
    for (const name of [`a.${end}`, `.${end}`, `a/b c.${end}`, `a.${end} [output]`, `a.${end} [temp]`])
      expect(isPictureName(name), name).toBe(true);
  for (const name of [
    "png",
    "a.pngx",
    "a.png.txt",
    "a.jpgg",
    "a.hei",
    "a.svg",
    "a.png [output",
    "a.png [a b]",
    "a.png  [output]",
    "a.png ",
  ])
    expect(isPictureName(name), name).toBe(false);
});

test("brands: only of a file type box, in its place", () => {
  expect(pictureFormat(bytes("\0\0\0\x18ftyqavif\0\0\0\0avifavif"))).toBeUndefined();
  expect(pictureFormat(bytes("ftypavif\0\0\0\0avifavif"))).toBeUndefined();
  expect(expectPicture(ftyp("avif"), "a")).toBe("avif");
});
