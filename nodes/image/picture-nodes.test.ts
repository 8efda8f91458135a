// ComfyUI's picture and mask nodes, against its formulas written out in full.
import { expect, test } from "vitest";
import { f32, type Tensor } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import resolutionSelector from "../core/resolution-selector.ts";
import stringConcatenate from "../core/string-concatenate.ts";
import batchImagesNode from "./batch-images-node.ts";
import getImageSize from "./get-image-size.ts";
import growMask from "./grow-mask.ts";
import imageBlur from "./image-blur.ts";
import imageCompositeMasked from "./image-composite-masked.ts";
import imageInvert from "./image-invert.ts";
import imagePadForOutpaint from "./image-pad-for-outpaint.ts";
import imageScaleToMaxDimension from "./image-scale-to-max-dimension.ts";
import imageToMask from "./image-to-mask.ts";
import maskToImage from "./mask-to-image.ts";
import resizeImageMaskNode from "./resize-image-mask-node.ts";

const ctx = fakeContext();
const noise = (...shape: number[]) =>
  f32(
    shape,
    Float32Array.from({ length: shape.reduce((a, n) => a * n, 1) }, (_, i) => ((i * 7919) % 1009) / 1009),
  );
const close = (a: Tensor<"float32">, b: ArrayLike<number>) => {
  expect(a.data.length).toBe(b.length);
  a.data.forEach((x, i) => {
    expect(x).toBeCloseTo(b[i] ?? Number.NaN, 5);
  });
};

test("ImageBlur is the two-dimensional Gaussian on a mirrored border", async () => {
  const image = noise(2, 5, 6, 3);
  const [radius, sigma] = [2, 0.7];
  const weights: number[] = [];
  for (let i = 0; i < 5; i++) for (let j = 0; j < 5; j++) weights.push(Math.exp(-((i / 2 - 1) ** 2 + (j / 2 - 1) ** 2) / (2 * sigma ** 2)));
  const sum = weights.reduce((a, w) => a + w, 0);
  const mirror = (i: number, n: number) => (i < 0 ? -i : i >= n ? 2 * n - 2 - i : i);
  const expected: number[] = [];
  for (let b = 0; b < 2; b++)
    for (let y = 0; y < 5; y++)
      for (let x = 0; x < 6; x++)
        for (let c = 0; c < 3; c++) {
          let value = 0;
          for (let i = 0; i < 5; i++)
            for (let j = 0; j < 5; j++)
              value +=
                ((weights[i * 5 + j] ?? 0) / sum) * (image.data[((b * 5 + mirror(y + i - 2, 5)) * 6 + mirror(x + j - 2, 6)) * 3 + c] ?? 0);
          expected.push(value);
        }
  close((await imageBlur.run({ image, blur_radius: radius, sigma }, ctx, {})).IMAGE, expected);
  expect(() => imageBlur.run({ image, blur_radius: 5, sigma }, ctx, {})).toThrow(expect.objectContaining({ code: "IMAGE_SIZE" }));
});

test("GrowMask: diamonds or squares, and back", async () => {
  const dot = f32([1, 5, 5], new Float32Array(25).fill(0.5, 12, 13));
  const rows = async (mask: Tensor<"float32">, expand: number, tapered_corners: boolean) => {
    const { MASK } = await growMask.run({ mask, expand, tapered_corners }, ctx, {});
    return Array.from({ length: 5 }, (_, y) => [...MASK.data.subarray(y * 5, y * 5 + 5)].map((x) => (x > 0 ? "#" : ".")).join(""));
  };
  expect(await rows(dot, 2, true)).toEqual(["..#..", ".###.", "#####", ".###.", "..#.."]);
  expect(await rows(dot, 1, false)).toEqual([".....", ".###.", ".###.", ".###.", "....."]);
  const square = f32([1, 5, 5], (await growMask.run({ mask: dot, expand: 1, tapered_corners: false }, ctx, {})).MASK.data);
  expect(await rows(square, -1, true)).toEqual([".....", ".....", "..#..", ".....", "....."]);
  // The outside does not count: a full mask does not shrink from its border.
  expect(await rows(f32([1, 5, 5], new Float32Array(25).fill(1)), -1, true)).toEqual(Array(5).fill("#####"));
});

test("ImageCompositeMasked", async () => {
  const [destination, source] = [noise(1, 4, 4, 3), f32([1, 2, 3, 3], new Float32Array(18).fill(1))];
  const mask = f32([1, 2, 3], [1, 0.5, 0, 0, 0.25, 1]);
  const { IMAGE } = await imageCompositeMasked.run({ destination, source, x: 2, y: 1, resize_source: false, mask }, ctx, {});
  const expected = Float32Array.from(destination.data);
  for (const [y, x, m] of [
    [1, 2, 1],
    [1, 3, 0.5],
    [2, 2, 0],
    [2, 3, 0.25],
  ] as const)
    for (let c = 0; c < 3; c++) expected[(y * 4 + x) * 3 + c] = m + (1 - m) * (destination.data[(y * 4 + x) * 3 + c] ?? 0);
  close(IMAGE, expected);
  const whole = await imageCompositeMasked.run({ destination, source, x: 0, y: 0, resize_source: true, mask: undefined }, ctx, {});
  close(whole.IMAGE, new Float32Array(48).fill(1));
});

test("ImagePadForOutpaint: grey borders, a mask that fades from the added sides only", async () => {
  const image = noise(1, 5, 6, 3);
  const { IMAGE, MASK } = await imagePadForOutpaint.run({ image, left: 2, top: 0, right: 0, bottom: 1, feathering: 2 }, ctx, {});
  expect([IMAGE.shape, MASK.shape]).toEqual([
    [1, 6, 8, 3],
    [1, 6, 8],
  ]);
  expect([...IMAGE.data.subarray(0, 6)]).toEqual(Array(6).fill(0.5));
  close(f32([6], IMAGE.data.subarray(6, 12)), image.data.subarray(0, 6));
  // First row: two added columns, then x = 0 and 1 fade by ((2 − x)/2)².
  expect([...MASK.data.subarray(0, 8)]).toEqual([1, 1, 1, 0.25, 0, 0, 0, 0]);
  // Last row of the picture is one pixel from the bottom border: ((2 − 1)/2)².
  expect([...MASK.data.subarray(32, 40)]).toEqual([1, 1, 1, 0.25, 0.25, 0.25, 0.25, 0.25]);
});

type ResizeInputs = Parameters<typeof resizeImageMaskNode.run>[0];
const resized = async (shape: readonly number[], kind: ResizeInputs["resize_type"], more: Partial<ResizeInputs>) => {
  const inputs: ResizeInputs = {
    input: noise(...shape),
    resize_type: kind,
    scale_method: "nearest-exact",
    "resize_type.width": 512,
    "resize_type.height": 512,
    "resize_type.crop": "center",
    "resize_type.multiplier": 1,
    "resize_type.longer_size": 512,
    "resize_type.shorter_size": 512,
    "resize_type.megapixels": 1,
    "resize_type.multiple": 1,
    "resize_type.match": undefined,
    ...more,
  };
  return (await resizeImageMaskNode.run(inputs, ctx, {})).resized.shape;
};

test.each([
  ["scale dimensions", { "resize_type.width": 20, "resize_type.height": 10 }, [1, 10, 20, 3]],
  ["scale dimensions", { "resize_type.width": 20, "resize_type.height": 0 }, [1, 13, 20, 3]],
  ["scale dimensions", { "resize_type.width": 0, "resize_type.height": 0 }, [1, 8, 12, 3]],
  ["scale by multiplier", { "resize_type.multiplier": 1.5 }, [1, 12, 18, 3]],
  ["scale longer dimension", { "resize_type.longer_size": 24 }, [1, 16, 24, 3]],
  ["scale shorter dimension", { "resize_type.shorter_size": 16 }, [1, 16, 24, 3]],
  ["scale width", { "resize_type.width": 24 }, [1, 16, 24, 3]],
  ["scale height", { "resize_type.height": 4 }, [1, 4, 6, 3]],
  ["scale total pixels", { "resize_type.megapixels": 0.01, "resize_type.multiple": 16 }, [1, 80, 128, 3]],
  ["match size", { "resize_type.match": noise(1, 3, 7) }, [1, 3, 7, 3]],
  ["scale to multiple", { "resize_type.multiple": 5 }, [1, 5, 10, 3]],
] as const)("ResizeImageMaskNode: %s %o", async (kind, more, shape) => {
  expect(await resized([1, 8, 12, 3], kind, more)).toEqual(shape);
  expect(await resized([1, 8, 12], kind, more)).toEqual(shape.slice(0, 3));
});

test("the small ones", async () => {
  const image = noise(2, 8, 12, 3);
  expect(await getImageSize.run({ image }, ctx, {})).toEqual({ width: 12, height: 8, batch_size: 2 });
  close(
    (await imageInvert.run({ image }, ctx, {})).IMAGE,
    image.data.map((x) => 1 - x),
  );
  const max = async (shape: number[]) =>
    (await imageScaleToMaxDimension.run({ image: noise(...shape), upscale_method: "area", largest_size: 24 }, ctx, {})).IMAGE.shape;
  expect([await max([1, 8, 12, 3]), await max([1, 12, 8, 3]), await max([1, 5, 5, 3])]).toEqual([
    [1, 16, 24, 3],
    [1, 24, 16, 3],
    [1, 24, 24, 3],
  ]);
  const { MASK } = await imageToMask.run({ image, channel: "green" }, ctx, {});
  expect(MASK.data[5]).toBe(image.data[5 * 3 + 1]);
  expect(() => imageToMask.run({ image, channel: "alpha" }, ctx, {})).toThrow(expect.objectContaining({ code: "IMAGE_SHAPE" }));
  expect([...(await maskToImage.run({ mask: f32([1, 1, 2], [0.25, 1]) }, ctx, {})).IMAGE.data]).toEqual([0.25, 0.25, 0.25, 1, 1, 1]);
  const { IMAGE } = await batchImagesNode.run({}, ctx, { "images.image0": image, "images.image1": noise(1, 4, 4, 3) });
  expect(IMAGE.shape).toEqual([3, 8, 12, 3]);
  expect(await stringConcatenate.run({ string_a: "a", string_b: "b", delimiter: ", " }, ctx, {})).toEqual({ STRING: "a, b" });
  const resolution = async (aspect_ratio: "1:1 (Square)" | "16:9 (Widescreen)", multiple: number) =>
    resolutionSelector.run({ aspect_ratio, megapixels: 1, multiple }, ctx, {});
  expect([await resolution("1:1 (Square)", 8), await resolution("16:9 (Widescreen)", 16)]).toEqual([
    { width: 1024, height: 1024 },
    { width: 1360, height: 768 },
  ]);
});
