import sharp from "sharp";
import { expect, test } from "vitest";
import { decodePicture } from "./codec.ts";
import { maskedPicture } from "./masked-picture.ts";

const png = (data: Uint8Array, width: number, height: number, channels: 1 | 3 | 4): Promise<Buffer> =>
  sharp(data, { raw: { width, height, channels } }).png().toBuffer();

test("the mask becomes transparency, and every colour stays, also behind it and behind an earlier mask", async () => {
  const rgba = Uint8Array.from({ length: 4 * 4 * 4 }, (_, i) => (i % 4 === 3 ? (i % 8 === 3 ? 0 : 255) : (i * 37) % 256));
  const picture = await png(rgba, 4, 4, 4);
  const mask = await png(
    Uint8Array.from({ length: 16 }, (_, i) => (i < 8 ? 255 : 0)),
    4,
    4,
    1,
  );
  const made = await decodePicture(await maskedPicture(picture, "p.png", mask, "ignore"), "made");
  expect([...made.rgb]).toEqual([...rgba].filter((_, i) => i % 4 !== 3));
  expect([...(made.alpha ?? [])]).toEqual([...new Array(8).fill(0), ...new Array(8).fill(255)]);
});

test("a mask of another size is stretched over the picture", async () => {
  const picture = await png(new Uint8Array(64 * 32 * 3).fill(90), 64, 32, 3);
  const mask = await png(Uint8Array.from([0, 0, 0, 255, 255, 255]), 2, 1, 3);
  const { alpha } = await decodePicture(await maskedPicture(picture, "p.png", mask, "ignore"), "made");
  expect(alpha?.[0]).toBe(255);
  expect(alpha?.[63]).toBe(0);
});

test("damage is refused by name", async () => {
  const mask = await png(new Uint8Array(1), 1, 1, 1);
  await expect(maskedPicture(new Uint8Array(20), "bad.png", mask, "ignore")).rejects.toThrow("bad.png");
  await expect(maskedPicture(await png(new Uint8Array(3), 1, 1, 3), "p.png", new Uint8Array(20), "ignore")).rejects.toThrow("the mask");
});
