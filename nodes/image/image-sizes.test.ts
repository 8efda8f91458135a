import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { upscale } from "../shared/pictures/resize/upscale.ts";
import fluxKontextImageScale, { kontextSize } from "./flux-kontext-image-scale.ts";
import imageBatch from "./image-batch.ts";
import imageScale from "./image-scale.ts";
import imageScaleToTotalPixels from "./image-scale-to-total-pixels.ts";
import imageStitch from "./image-stitch.ts";

const ctx = fakeContext();
const blank = (h: number, w: number, v = 0.5) => f32([1, h, w, 3], new Float32Array(h * w * 3).fill(v));
const red = (data: Float32Array) => [...data].filter((_, i) => i % 3 === 0);

test("FluxKontextImageScale picks ComfyUI's sizes", async () => {
  const { kontext_pick } = z
    .object({ kontext_pick: z.array(z.object({ w: z.number(), h: z.number(), out: z.tuple([z.number(), z.number()]) })) })
    .parse(JSON.parse(readFileSync(new URL("../../test/golden/vectors.json", import.meta.url), "utf8")));
  for (const { w, h, out } of kontext_pick) expect(kontextSize(w, h)).toEqual({ width: out[0], height: out[1] });
  const { IMAGE } = await fluxKontextImageScale.run({ image: blank(30, 30) }, ctx, {});
  expect(IMAGE.shape).toEqual([1, 1024, 1024, 3]);
});

test("ImageScaleToTotalPixels", async () => {
  const scale = async (h: number, w: number, megapixels: number, resolution_steps: number) =>
    (await imageScaleToTotalPixels.run({ image: blank(h, w), upscale_method: "nearest-exact", megapixels, resolution_steps }, ctx, {}))
      .IMAGE.shape;
  expect(await scale(480, 640, 1, 1)).toEqual([1, 887, 1182, 3]);
  expect(await scale(480, 640, 1, 8)).toEqual([1, 888, 1184, 3]);
  expect(await scale(100, 100, 0.01, 1)).toEqual([1, 102, 102, 3]);
});

test("ImageScale: a side of 0 follows the other", async () => {
  const scale = async (width: number, height: number, crop: "disabled" | "center" = "disabled") =>
    (await imageScale.run({ image: blank(20, 50), upscale_method: "area", width, height, crop }, ctx, {})).IMAGE.shape;
  expect(await scale(0, 0)).toEqual([1, 20, 50, 3]);
  expect(await scale(25, 0)).toEqual([1, 10, 25, 3]);
  expect(await scale(0, 5)).toEqual([1, 5, 12, 3]);
  expect(await scale(7, 9, "center")).toEqual([1, 9, 7, 3]);
});

test("crop center cuts both sides alike, halves to even, before resizing", () => {
  const ramp = (h: number, w: number) =>
    f32(
      [1, h, w, 1],
      Array.from({ length: h * w }, (_, i) => i),
    );
  // 7 to 2 columns: (7 − 7·(2/7))/2 = 2.5, rounded to 2, so three columns stay.
  expect([...upscale(ramp(1, 7), { width: 2, height: 1 }, "area", "center").data]).toEqual([2.5, 3.5]);
  expect([...upscale(ramp(4, 1), { width: 2, height: 4 }, "nearest-exact", "center").data]).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
  expect([...upscale(ramp(2, 3), { width: 3, height: 2 }, "area", "center").data]).toEqual([0, 1, 2, 3, 4, 5]);
});

test("ImageBatch brings the second to the size of the first", async () => {
  const { IMAGE } = await imageBatch.run({ image1: blank(2, 4, 0.25), image2: blank(6, 6, 0.75) }, ctx, {});
  expect(IMAGE.shape).toEqual([2, 2, 4, 3]);
  expect(new Set(IMAGE.data.subarray(0, 24))).toEqual(new Set([0.25]));
  expect(new Set(IMAGE.data.subarray(24))).toEqual(new Set([0.75]));
  const grey = f32([1, 1, 1, 1], [0]);
  await expect(async () => imageBatch.run({ image1: blank(1, 1), image2: grey }, ctx, {})).rejects.toMatchObject({ code: "IMAGE_SHAPE" });
});

test("ImageStitch", async () => {
  const stitch = async (direction: "right" | "down" | "left" | "up", options: { match?: boolean; gap?: number; second?: boolean } = {}) => {
    const { IMAGE } = await imageStitch.run(
      {
        image1: blank(2, 2, 0.2),
        image2: options.second === false ? undefined : blank(4, 2, 0.6),
        direction,
        match_image_size: options.match ?? false,
        spacing_width: options.gap ?? 0,
        spacing_color: "white",
      },
      ctx,
      {},
    );
    return { shape: IMAGE.shape, red: red(IMAGE.data).map((v) => Math.round(v * 10)) };
  };
  expect(await stitch("right")).toEqual({ shape: [1, 4, 4, 3], red: [0, 0, 6, 6, 2, 2, 6, 6, 2, 2, 6, 6, 0, 0, 6, 6] });
  expect((await stitch("left")).red).toEqual([6, 6, 0, 0, 6, 6, 2, 2, 6, 6, 2, 2, 6, 6, 0, 0]);
  expect(await stitch("down", { gap: 1 })).toEqual({ shape: [1, 8, 2, 3], red: [2, 2, 2, 2, 10, 10, 10, 10, 6, 6, 6, 6, 6, 6, 6, 6] });
  expect(await stitch("right", { match: true })).toEqual({ shape: [1, 2, 3, 3], red: [2, 2, 6, 2, 2, 6] });
  expect((await stitch("up", { match: true })).shape).toEqual([1, 6, 2, 3]);
  expect((await stitch("up", { second: false })).shape).toEqual([1, 2, 2, 3]);
});
