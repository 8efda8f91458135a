import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { decodePicture, encodePng } from "./codec.ts";

/** Red, green; blue, white. */
const RGB = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255);
const raw = (channels: 1 | 3 | 4, data: Uint8Array, width = 2, height = 2) => sharp(data, { raw: { width, height, channels } });

test("a PNG comes back as it was", async () => {
  const picture = await decodePicture(await encodePng(RGB, 2, 2), "a.png");
  expect(picture).toMatchObject({ width: 2, height: 2, alpha: undefined });
  expect([...picture.rgb]).toEqual([...RGB]);
});

test("grey becomes three equal channels; transparency comes apart; lossless WebP is exact", async () => {
  const grey = await decodePicture(
    await raw(1, Uint8Array.of(0, 80, 160, 255))
      .toColourspace("b-w")
      .png()
      .toBuffer(),
    "grey.png",
  );
  expect([...grey.rgb]).toEqual([0, 80, 160, 255].flatMap((v) => [v, v, v]));
  const rgba = Uint8Array.of(255, 0, 0, 0, 0, 255, 0, 51, 0, 0, 255, 102, 9, 8, 7, 255);
  for (const file of [raw(4, rgba).png(), raw(4, rgba).webp({ lossless: true, exact: true })]) {
    const picture = await decodePicture(await file.toBuffer(), "a");
    expect([...(picture.alpha ?? [])]).toEqual([0, 51, 102, 255]);
    // Colour below full transparency is kept, not premultiplied.
    expect([...picture.rgb]).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7]);
  }
});

test("a JPEG that lies on its side stands up", async () => {
  const side = 16;
  const pixels = Uint8Array.from({ length: side * 2 * side * 3 }, (_, i) => (Math.floor(i / 3) % (side * 2) < side ? 255 : 0));
  const lying = raw(3, pixels, side * 2, side)
    .jpeg({ quality: 100 })
    .withMetadata({ orientation: 6 });
  const picture = await decodePicture(await lying.toBuffer(), "a.jpg");
  expect([picture.width, picture.height]).toEqual([side, side * 2]);
  // Rotated clockwise: what was left is on top.
  expect(picture.rgb[0]).toBeGreaterThan(250);
  expect(picture.rgb.at(-1)).toBeLessThan(5);
});

test("GIF (its first picture), TIFF and AVIF are read", async () => {
  const frames = Uint8Array.from([...RGB, ...new Uint8Array(12)]);
  const gif = await sharp(frames, { raw: { width: 2, height: 4, channels: 3, pageHeight: 2 } })
    .gif()
    .toBuffer();
  expect((await sharp(gif).metadata()).pages).toBe(2);
  expect([...(await decodePicture(gif, "a.gif")).rgb]).toEqual([...RGB]);
  for (const compression of ["none", "lzw", "deflate"] as const)
    expect([...(await decodePicture(await raw(3, RGB).tiff({ compression }).toBuffer(), "a.tif")).rgb]).toEqual([...RGB]);
  const flat = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => [200, 100, 50][i % 3] ?? 0);
  const avif = await decodePicture(await raw(3, flat, 16, 16).avif({ quality: 90 }).toBuffer(), "a.avif");
  expect([avif.width, avif.height]).toEqual([16, 16]);
  flat.forEach((v, i) => {
    expect(Math.abs((avif.rgb[i] ?? 0) - v)).toBeLessThan(4);
  });
});

describe("colour profiles", () => {
  /** Pure green of Display P3, which sRGB does not have. */
  const green = (profile: string) =>
    raw(3, Uint8Array.of(50, 200, 50), 1, 1)
      .png()
      .withIccProfile(profile, { attach: true })
      .toBuffer();

  test("Display P3 is ignored with a word, or converted", async () => {
    const file = await green("p3");
    const stored = (await sharp(file, { ignoreIcc: true }).raw().toBuffer()).subarray(0, 3);
    const ignored = await decodePicture(file, "phone.png");
    expect([...ignored.rgb]).toEqual([...stored]);
    expect(ignored.notes).toEqual([expect.stringMatching(/^phone\.png has the colour profile ".*P3.*", which is ignored/i)]);
    const converted = await decodePicture(file, "phone.png", "convert");
    expect(converted.notes).toEqual([]);
    [50, 200, 50].forEach((v, k) => {
      expect(Math.abs((converted.rgb[k] ?? 0) - v)).toBeLessThan(3);
    });
    expect([...converted.rgb]).not.toEqual([...ignored.rgb]);
  });

  test("sRGB's own profile needs no word; a damaged one gets one", async () => {
    expect((await decodePicture(await green("srgb"), "a.png")).notes).toEqual([]);
    const jpeg = await raw(3, RGB).jpeg().withIccProfile("p3").toBuffer();
    const without = Buffer.from(jpeg);
    without.fill(0xee, jpeg.indexOf("desc"), jpeg.indexOf("desc") + 12);
    expect((await decodePicture(without, "a.jpg")).notes).toEqual([expect.stringMatching(/^a\.jpg has a colour profile without a name/)]);
    const damaged = Buffer.from(jpeg);
    damaged.write("xxxx", jpeg.indexOf("acsp"));
    for (const use of ["ignore", "convert"] as const)
      expect((await decodePicture(damaged, "a.jpg", use)).notes).toEqual([
        expect.stringMatching(/^a\.jpg has a colour profile that can't be read: its numbers are used as they are stored$/),
      ]);
  });
});

test("a picture that is transparent everywhere gets a word", async () => {
  const clear = await decodePicture(await raw(4, new Uint8Array(16)).png().toBuffer(), "clear.png");
  expect(clear.notes).toEqual([expect.stringMatching(/^clear\.png is transparent everywhere/)]);
  const speck = await decodePicture(
    await raw(
      4,
      Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0)),
    )
      .png()
      .toBuffer(),
    "speck.png",
  );
  expect(speck.notes).toEqual([]);
});

test("other files are refused by their first bytes, with what they begin with", async () => {
  const text = (t: string) => new TextEncoder().encode(t);
  const refused: readonly (readonly [Uint8Array, RegExp])[] = [
    [text('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'), /it begins with "<svg xmlns=\\""/],
    [new Uint8Array(0), /it is empty/],
    [Uint8Array.of(0x89, 0x50), /it begins with 89 50/],
    [text("RIFF....WAVEfmt "), /RIFF/],
    [text("BM, says the letter to the reader"), /BM, says/],
    [Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1"), /HEIC picture/],
    [Buffer.from("\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "latin1"), /it begins with 00 00 00 18/],
  ];
  for (const [bytes, message] of refused)
    await expect(decodePicture(bytes, "x")).rejects.toMatchObject({ code: "IMAGE_FORMAT", message: expect.stringMatching(message) });
});

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, "latin1");
  out.set(data, 8);
  let crc = ~0;
  for (const byte of out.subarray(4, 8 + data.length)) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  out.writeUInt32BE(~crc >>> 0, 8 + data.length);
  return out;
}
/** A PNG whose header claims a size, with whatever pixels. */
function pngOf(width: number, height: number, data: Uint8Array): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(data)),
    chunk("IEND", new Uint8Array()),
  ]);
}

describe("pictures that unpack to too much are refused by their header", () => {
  const sizes = [
    [65_500, 65_500],
    [65_501, 1],
    [1, 65_501],
    [8193, 8192],
  ] as const;
  test.each(sizes)("PNG of %i × %i", async (width, height) => {
    const before = process.memoryUsage.rss();
    await expect(decodePicture(pngOf(width, height, new Uint8Array(1 << 20)), "bomb")).rejects.toMatchObject({ code: "IMAGE_TOO_LARGE" });
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 << 20);
  });
  test("JPEG of 65,500 × 65,500", async () => {
    const jpeg = await raw(3, RGB).jpeg().toBuffer();
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    jpeg.writeUInt16BE(65_500, frame + 5);
    jpeg.writeUInt16BE(65_500, frame + 7);
    await expect(decodePicture(jpeg, "bomb")).rejects.toMatchObject({ code: "IMAGE_TOO_LARGE" });
  });
  test("WebP of 16,383 × 16,383", async () => {
    const webp = await raw(3, RGB).webp({ lossless: true }).toBuffer();
    // VP8L: 14 bits of width − 1 and of height − 1 behind the signature byte.
    const at = webp.indexOf("VP8L") + 9;
    webp.writeUInt32LE((webp.readUInt32LE(at) & 0xf0000000) | 0x3ffe | (0x3ffe << 14), at);
    await expect(decodePicture(webp, "bomb")).rejects.toMatchObject({ code: "IMAGE_TOO_LARGE" });
  });
});

/** A 24-bit bitmap, bottom row first; width a multiple of four. */
function bitmapOf(width: number, height: number, rgb: Uint8Array): Uint8Array {
  const out = Buffer.alloc(54 + rgb.length);
  out.write("BM", "latin1");
  out.writeUInt32LE(54, 10);
  out.writeUInt32LE(40, 14);
  out.writeInt32LE(width, 18);
  out.writeInt32LE(height, 22);
  out.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let k = 0; k < 3; k++) out[54 + ((height - 1 - y) * width + x) * 3 + k] = rgb[(y * width + x) * 3 + 2 - k] ?? 0;
  return out;
}

test("a bitmap is read; its size is checked first", async () => {
  const pixels = Uint8Array.from({ length: 4 * 2 * 3 }, (_, i) => i * 10);
  const bytes = bitmapOf(4, 2, pixels);
  expect(await decodePicture(bytes, "a.bmp")).toMatchObject({ width: 4, height: 2, alpha: undefined, notes: [] });
  expect([...(await decodePicture(bytes, "a.bmp")).rgb]).toEqual([...pixels]);
  Buffer.from(bytes.buffer, bytes.byteOffset).writeInt32LE(65_500, 18);
  Buffer.from(bytes.buffer, bytes.byteOffset).writeInt32LE(65_500, 22);
  await expect(decodePicture(bytes, "bomb")).rejects.toMatchObject({ code: "IMAGE_TOO_LARGE" });
});

test("damaged files are refused, never half shown", async () => {
  const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i * 31) >> 3);
  const files = [
    await raw(3, noise, 64, 64).png().toBuffer(),
    await raw(3, noise, 64, 64).jpeg().toBuffer(),
    await raw(3, noise, 64, 64).webp().toBuffer(),
    await raw(3, noise, 64, 64).gif().toBuffer(),
    await raw(3, noise, 64, 64).tiff().toBuffer(),
    await raw(3, noise, 64, 64).avif().toBuffer(),
    bitmapOf(64, 64, noise),
  ];
  for (const file of files)
    for (const part of [0.2, 0.5, 0.9])
      await expect(decodePicture(file.subarray(0, Math.floor(file.length * part)), "cut")).rejects.toMatchObject({ code: "IMAGE_CORRUPT" });
  await expect(decodePicture(pngOf(4, 4, new Uint8Array(3)), "short")).rejects.toMatchObject({ code: "IMAGE_CORRUPT" });
  // Sides beyond what the decoder itself takes.
  await expect(decodePicture(pngOf(2_000_000_000, 2, new Uint8Array(3)), "wide")).rejects.toMatchObject({ code: "IMAGE_CORRUPT" });
  await expect(decodePicture(pngOf(0, 4, new Uint8Array(3)), "empty")).rejects.toMatchObject({ code: "IMAGE_CORRUPT" });
});

test("floating-point numbers have no fixed white: they are refused by their type", async () => {
  // Two pixels of 0.5, written by Pillow.
  const file = Buffer.from(
    "SUkqAAgAAAAKAAABBAABAAAAAgAAAAEBBAABAAAAAQAAAAIBAwABAAAAIAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAAhgAAABYBBAABAAAAAQAAABcBBAABAAAACAAAABwBAwABAAAAAQAAAFMBAwABAAAAAwAAAAAAAAAAAAA/AAAAPw==",
    "base64",
  );
  await expect(decodePicture(file, "hdr.tiff")).rejects.toMatchObject({
    code: "IMAGE_FORMAT",
    message: "hdr.tiff holds numbers of type float, which have no fixed white",
  });
});
