import { expect, test } from "vitest";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { gradientMap } from "./gradient-map.ts";
import { batchOf, pictureOf } from "./picture.ts";
import { imageOfBytes, pictureBytes } from "./picture-bytes.ts";

const batch = f32(
  [2, 2, 3, 3],
  Array.from({ length: 36 }, (_, i) => i / 35),
);

test("one picture of a batch is a part of it, not a copy", () => {
  const { data, height, width } = pictureOf(batch, 1);
  expect([height, width, batchOf(batch), batchOf(f32([], [1]))]).toEqual([2, 3, 2, 0]);
  expect([data.buffer, data.byteOffset, data.length]).toEqual([batch.data.buffer, 18 * 4, 18]);
  expect([...pictureOf(batch, 0).data]).toEqual([...batch.data.subarray(0, 18)]);
});

test("what is no picture is refused before it is read", () => {
  const refused = (shape: readonly number[], index: number) =>
    expect(() => pictureOf({ dtype: "float32", shape, data: new Float32Array() }, index), `[${shape}] ${index}`);
  const code = expect.objectContaining({ code: "FACE_IMAGE" });
  for (const shape of [
    [2, 3, 3],
    [1, 2, 3, 4],
    [1, 2, 3, 1],
    [1, 1, 2, 3, 3],
  ])
    refused(shape, 0).toThrow(code);
  refused([2, 2, 3, 3], 2).toThrow(/no picture 2/);
  refused([1, 0, 3, 3], 0).toThrow(/no picture 0/);
  refused([1, 3, 0, 3], 0).toThrow(/no picture 0/);
  refused([1, 8192, 8193, 3], 0).toThrow(/8193 × 8192 is too large/);
  refused([1, 8192, 8192, 3], 0).not.toThrow();
  expect(pictureOf(f32([1, 1, 1, 3], [1, 2, 3]), 0)).toMatchObject({ height: 1, width: 1 });
});

test("bytes: cut off and clamped as ComfyUI saves, and every byte comes back as it was", () => {
  const bytes = Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3));
  const image = imageOfBytes(bytes, 32, 8);
  expect([image.shape, Math.max(...image.data), Math.min(...image.data)]).toEqual([[1, 8, 32, 3], 1, 0]);
  expect(pictureBytes(image, 0)).toEqual({ rgb: bytes, width: 32, height: 8 });
  const odd = f32([2, 1, 2, 3], [9, 9, 9, 9, 9, 9, -0.5, 1.5, 0.999, 0.5, 1 / 255, 0]);
  expect(pictureBytes(odd, 1)).toEqual({ rgb: Uint8Array.of(0, 255, 254, 127, 1, 0), width: 2, height: 1 });
});

test("only whole, finite pictures become bytes", () => {
  const shape = expect.objectContaining({ code: "IMAGE_SHAPE" });
  expect(() => pictureBytes(batch, 2)).toThrow(shape);
  for (const wrong of [
    [2, 3, 3],
    [1, 2, 3, 4],
    [1, 0, 3, 3],
    [1, 3, 0, 3],
  ])
    expect(() => pictureBytes({ ...batch, shape: wrong }, 0), `[${wrong}]`).toThrow(shape);
  const damaged = f32([2, 1, 1, 3], [0, 0, 0, 0, Number.NaN, 0]);
  expect(() => pictureBytes(damaged, 1)).toThrow(expect.objectContaining({ code: "IMAGE_NOT_FINITE" }));
  expect([...pictureBytes(damaged, 0).rgb]).toEqual([0, 0, 0]);
});

test("a gradient's map: the root of its length, white where all but 0.2 % of the picture is below", () => {
  const side = 50;
  const gradient = new Float32Array(3 * side * side);
  // Lengths 0, 1, 2 … 2499, as (3, 4, 0)/5 of it or along blue; one spike beyond all.
  for (let i = 0; i < side * side; i++) gradient.set(i % 2 ? [0.6 * i, -0.8 * i, 0] : [0, 0, -i], 3 * i);
  gradient[0] = 1e6;
  const { shape, data } = gradientMap(gradient, side, side);
  expect(shape).toEqual([1, side, side, 3]);
  // Sorted: 1 … 2499, 10⁶; the one at floor(0.998 · 2499) = 2494 is 2495.
  expect(data[0]).toBe(1);
  expect(data[3 * 2494]).toBeCloseTo(Math.sqrt(2494 / 2495), 6);
  expect(data[3 * 2496]).toBe(1);
  for (const i of [7, 500, 1201]) for (const c of [0, 1, 2]) expect(data[3 * i + c]).toBeCloseTo(Math.sqrt(i / 2495), 6);
});

test("a gradient of a few pixels is white at the greatest, of none black", () => {
  const few = new Float32Array(3 * 1000);
  few.set([0.3, 0, 0], 30);
  few.set([0, 0.075, 0], 60);
  const { data } = gradientMap(few, 10, 100);
  expect([data[30], data[60], data[0]]).toEqual([1, 0.5, 0]);
  expect(gradientMap(new Float32Array(12), 2, 2).data.every((x) => x === 0)).toBe(true);
});
