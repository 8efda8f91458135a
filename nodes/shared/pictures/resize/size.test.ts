import { expect, test } from "vitest";
import { f32 } from "../../../../engine/tensor/tensor.ts";
import { visionPicture } from "../vision-picture.ts";
import { calculateDimensions, checkedResize, longerSide, MAX_PIXELS } from "./size.ts";
import { upscale } from "./upscale.ts";
import { UPSCALE_METHODS } from "./upscale-methods.ts";

test("about the area asked for, in multiples of 32, at the picture's aspect", () => {
  expect(calculateDimensions(1024 ** 2, { width: 100, height: 100 })).toEqual({ width: 1024, height: 1024 });
  expect(calculateDimensions(1024 ** 2, { width: 1600, height: 900 })).toEqual({ width: 1376, height: 768 });
  expect(calculateDimensions(384 ** 2, { width: 200, height: 300 })).toEqual({ width: 320, height: 480 });
  // Half of 32 goes to the even multiple, and nothing below one.
  expect(calculateDimensions(80 ** 2, { width: 1, height: 1 })).toEqual({ width: 64, height: 64 });
  expect(calculateDimensions(112 ** 2, { width: 1, height: 1 })).toEqual({ width: 128, height: 128 });
  expect(calculateDimensions(64 ** 2, { width: 1, height: 400 })).toEqual({ width: 32, height: 1280 });
});

test("the picture beside the prompt is of these sizes", () => {
  expect(visionPicture(f32([1, 6, 4, 3], new Float32Array(72).fill(0.5)), 96).shape).toEqual([1, 128, 64, 3]);
});

test("the longer side becomes the one asked for; a square's both", () => {
  expect(longerSide([1, 300, 200, 3], 100)).toEqual({ width: 67, height: 100 });
  expect(longerSide([1, 200, 300, 3], 100)).toEqual({ width: 100, height: 67 });
  expect(longerSide([1, 50, 50, 3], 100)).toEqual({ width: 100, height: 100 });
  expect(longerSide([1, 5, 8, 3], 4)).toEqual({ width: 4, height: 2 });
});

test("sizes up to 64 megapixels, of pictures that are not empty", () => {
  const image = f32([2, 1, 3, 1], [1, 2, 3, 4, 5, 6]);
  expect(checkedResize(image, { width: 8192, height: 8192 })).toEqual({ batch: 2, h: 1, w: 3, channels: 1, shape: [2, 8192, 8192, 1] });
  expect(8192 * 8192).toBe(MAX_PIXELS);
  expect(checkedResize(f32([1, 1, 1, 1], [1]), { width: 1, height: 1 }).shape).toEqual([1, 1, 1, 1]);
  const size = expect.objectContaining({ code: "IMAGE_SIZE" });
  for (const [width, height] of [
    [8192, 8193],
    [0, 1],
    [1, 0],
    [1.5, 1],
    [1, 1.5],
    [-1, -1],
  ] as const)
    expect(() => checkedResize(image, { width, height }), `${width} × ${height}`).toThrow(size);
  for (const shape of [
    [0, 1, 1, 1],
    [1, 0, 1, 1],
    [1, 1, 0, 1],
    [1, 1, 1, 0],
    [1, 1, 1],
  ])
    expect(() => checkedResize({ ...image, shape }, { width: 1, height: 1 }), `[${shape}]`).toThrow(
      expect.objectContaining({ code: "IMAGE_SHAPE" }),
    );
});

test("the centre that has the new aspect is resized, of every picture and channel", () => {
  const [batch, h, w, channels] = [2, 6, 4, 2];
  const image = f32(
    [batch, h, w, channels],
    Float32Array.from({ length: batch * h * w * channels }, (_, i) => ((i * 7) % 31) / 31),
  );
  const part = (y: number, x: number, height: number, width: number) => {
    const data = [];
    for (let b = 0; b < batch; b++)
      for (let i = 0; i < height; i++)
        for (let j = 0; j < width; j++)
          for (let c = 0; c < channels; c++) data.push(image.data[((b * h + y + i) * w + x + j) * channels + c] ?? Number.NaN);
    return f32([batch, height, width, channels], data);
  };
  for (const method of UPSCALE_METHODS) {
    expect(upscale(image, { width: 8, height: 8 }, method, "center")).toEqual(
      upscale(part(1, 0, 4, 4), { width: 8, height: 8 }, method, "disabled"),
    );
    expect(upscale(image, { width: 3, height: 9 }, method, "center")).toEqual(
      upscale(part(0, 1, 6, 2), { width: 3, height: 9 }, method, "disabled"),
    );
    expect(upscale(image, { width: 2, height: 3 }, method, "center")).toEqual(upscale(image, { width: 2, height: 3 }, method, "disabled"));
  }
  expect(() => upscale(image, { width: 0, height: 3 }, "area", "center")).toThrow(expect.objectContaining({ code: "IMAGE_SIZE" }));
});
