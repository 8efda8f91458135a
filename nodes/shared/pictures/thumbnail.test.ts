import sharp from "sharp";
import { expect, test } from "vitest";
import { decodePicture, encodePng, jpegRoundTrip, withAlpha } from "./codec.ts";
import { checkPicture, thumbnail } from "./thumbnail.ts";

const [width, height] = [60, 40];
const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => [200, 100, 50][i % 3] ?? 0);
const clear = await sharp(withAlpha(rgb, new Uint8Array(width * height).fill(128)), { raw: { width, height, channels: 4 } })
  .png()
  .toBuffer();

test("a thumbnail keeps the aspect and the transparency, and is never larger than the picture", async () => {
  const small = await decodePicture(await thumbnail(clear, "a.png", { width: 30 }), "small");
  expect([small.width, small.height, small.alpha?.[0]]).toEqual([30, 20, 128]);
  const full = await decodePicture(await thumbnail(clear, "a.png", { width: 600 }), "full");
  expect([full.width, full.height]).toEqual([60, 40]);
});

test("opaque, it has the colours behind the transparency", async () => {
  const { alpha, rgb: seen } = await decodePicture(await thumbnail(clear, "a.png", { width: 30, opaque: true }), "small");
  expect(alpha).toBeUndefined();
  for (const [c, value] of [200, 100, 50].entries()) expect(Math.abs((seen[c] ?? 0) - value)).toBeLessThan(12);
  const plain = await decodePicture(await thumbnail(await encodePng(rgb, width, height), "a.png", { width: 30 }), "small");
  expect(plain.alpha).toBeUndefined();
});

test("a picture is checked to its end, and its format and size said", async () => {
  expect(await checkPicture(clear, "a.png")).toEqual({ format: "png", width, height });
  await expect(checkPicture(clear.subarray(0, clear.length - 40), "a.png")).rejects.toMatchObject({
    code: "IMAGE_CORRUPT",
    message: expect.stringContaining("a.png"),
  });
});

test("RGBA is the colours with their alpha behind each", () => {
  expect([...withAlpha(Uint8Array.of(1, 2, 3, 4, 5, 6), Uint8Array.of(7, 8))]).toEqual([1, 2, 3, 7, 4, 5, 6, 8]);
});

test("JPEG there and back: sizes stay, quality decides how much is lost, colours at half the resolution", async () => {
  const noise = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * i * 31) % 256);
  const lost = async (quality: number) => {
    const back = await jpegRoundTrip(noise, width, height, quality);
    expect(back).toHaveLength(noise.length);
    return back.reduce((s, x, i) => s + Math.abs(x - (noise[i] ?? 0)), 0) / back.length;
  };
  expect(await lost(10)).toBeGreaterThan(await lost(60));
  // Red and blue of one brightness, in columns: only the colour differs, so that it is lost even at the best quality.
  const stripes = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [c, x] = [i % 3, Math.floor(i / 3) % width];
    return (x % 2 ? [190, 0, 0] : [0, 0, 255])[c] ?? 0;
  });
  const back = await jpegRoundTrip(stripes, width, height, 100);
  expect(Math.abs((back[3 * 10 + 2] ?? 0) - (back[3 * 11 + 2] ?? 0))).toBeLessThan(60);
});
