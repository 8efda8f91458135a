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

test("other files are refused by their first bytes", async () => {
  const svg = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>');
  const gif = await raw(3, RGB).gif().toBuffer();
  for (const bytes of [svg, gif, new Uint8Array(0), Uint8Array.of(0x89, 0x50), new TextEncoder().encode("RIFF....WAVEfmt ")])
    await expect(decodePicture(bytes, "x")).rejects.toMatchObject({ code: "IMAGE_FORMAT" });
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

test("damaged files are refused, never half shown", async () => {
  const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i * 31) >> 3);
  const files = [
    await raw(3, noise, 64, 64).png().toBuffer(),
    await raw(3, noise, 64, 64).jpeg().toBuffer(),
    await raw(3, noise, 64, 64).webp().toBuffer(),
  ];
  for (const file of files)
    for (const part of [0.2, 0.5, 0.9])
      await expect(decodePicture(file.subarray(0, Math.floor(file.length * part)), "cut")).rejects.toMatchObject({ code: "IMAGE_CORRUPT" });
  await expect(decodePicture(pngOf(4, 4, new Uint8Array(3)), "short")).rejects.toMatchObject({ code: "IMAGE_CORRUPT" });
  // Sides beyond what the decoder itself takes.
  await expect(decodePicture(pngOf(2_000_000_000, 2, new Uint8Array(3)), "wide")).rejects.toMatchObject({ code: "IMAGE_CORRUPT" });
  await expect(decodePicture(pngOf(0, 4, new Uint8Array(3)), "empty")).rejects.toMatchObject({ code: "IMAGE_CORRUPT" });
});
