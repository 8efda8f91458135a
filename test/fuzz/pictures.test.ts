// Damaged pictures: pixels or a typed IMAGE error. What must not happen is a crash of the native decoders.
import sharp from "sharp";
import { expect, test } from "vitest";
import { AppError } from "../../engine/base/errors.ts";
import { randomSource } from "../../engine/base/random.ts";
import { decodePicture } from "../../nodes/shared/pictures/codec.ts";
import { FUZZ_TIMEOUT_MS, fuzzRuns, mutateBytes } from "./mutations.ts";

const RUNS = fuzzRuns(600);

test(`${RUNS} damaged pictures`, { timeout: FUZZ_TIMEOUT_MS }, async () => {
  const pixels = Uint8Array.from({ length: 40 * 30 * 4 }, (_, i) => (i * i * 31) >> 3);
  const picture = () => sharp(pixels, { raw: { width: 40, height: 30, channels: 4 } });
  const seeds = await Promise.all([
    picture().png().toBuffer(),
    picture().png({ palette: true, progressive: true }).toBuffer(),
    picture().jpeg().withMetadata({ orientation: 6 }).toBuffer(),
    picture().jpeg({ progressive: true }).toBuffer(),
    picture().webp().toBuffer(),
    picture().webp({ lossless: true }).toBuffer(),
    picture().gif().toBuffer(),
    picture().tiff().toBuffer(),
    picture().tiff({ compression: "lzw" }).toBuffer(),
    picture().avif({ effort: 0 }).toBuffer(),
  ]);
  const random = randomSource(6);
  const outcomes = new Set<string>();
  for (let i = 0; i < RUNS; i++) {
    const bytes = mutateBytes(random, seeds[i % seeds.length] ?? new Uint8Array());
    try {
      const { width, height, rgb } = await decodePicture(bytes, "x");
      expect(rgb.length).toBe(width * height * 3);
      outcomes.add("pixels");
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      outcomes.add(error.code);
    }
  }
  for (const outcome of ["pixels", "IMAGE_CORRUPT", "IMAGE_FORMAT"]) expect(outcomes).toContain(outcome);
});
