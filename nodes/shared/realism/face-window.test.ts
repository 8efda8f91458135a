import { expect, test } from "vitest";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { fakeFace } from "../../../test/fake-faces.ts";
import { facePixels, windowPixels } from "./face-pixels.ts";
import { faceWindow, windowIndices } from "./face-window.ts";

const face = (x0: number, y0: number, x1: number, y1: number) => ({ ...fakeFace(0, 0), box: [x0, y0, x1, y1] as const });

test("the largest side that fits the box's longer side, round its centre", () => {
  expect(faceWindow(face(100, 60, 140, 130), [400, 400])).toEqual({ x: 88, y: 63, side: 64 });
  expect(faceWindow(face(100, 60, 170, 100), [400, 400])).toEqual({ x: 103, y: 48, side: 64 });
  // Exactly as long as a side, and one pixel less.
  expect(faceWindow(face(100, 100, 196, 150), [400, 400])).toMatchObject({ side: 96 });
  expect(faceWindow(face(100, 100, 195, 150), [400, 400])).toMatchObject({ side: 64 });
  expect(faceWindow(face(0, 0, 2000, 2000), [2000, 2000])).toEqual({ x: 744, y: 744, side: 512 });
});

test("it is moved into the picture, and no larger than the picture", () => {
  expect(faceWindow(face(-20, -10, 50, 60), [90, 100])).toEqual({ x: 0, y: 0, side: 64 });
  expect(faceWindow(face(60, 40, 130, 110), [90, 100])).toEqual({ x: 36, y: 26, side: 64 });
  expect(faceWindow(face(0, 0, 90, 90), [90, 30])).toMatchObject({ side: 24 });
  expect(faceWindow(face(0, 0, 90, 90), [30, 90])).toMatchObject({ side: 24 });
});

test("smaller than the smallest window, there is none", () => {
  expect(faceWindow(face(0, 0, 23.9, 20), [400, 400])).toBeUndefined();
  expect(faceWindow(face(0, 0, 24, 20), [400, 400])).toEqual({ x: 0, y: 0, side: 24 });
  expect(faceWindow(face(0, 0, 100, 100), [400, 23])).toBeUndefined();
});

test("rows and columns of a window are those of its pixels", () => {
  const [height, width] = [40, 50];
  const image = f32(
    [1, height, width, 3],
    Float32Array.from({ length: height * width * 3 }, (_, i) => i),
  );
  const window = { x: 20, y: 10, side: 24 };
  const { rows, columns } = windowIndices(window);
  const { shape, data } = windowPixels(image, window);
  expect(shape).toEqual([1, 3, 24, 24]);
  expect([rows.shape, columns.shape]).toEqual([[24], [24]]);
  for (let y = 0; y < 24; y++)
    for (let x = 0; x < 24; x++) {
      expect([Number(rows.data[y]), Number(columns.data[x])]).toEqual([10 + y, 20 + x]);
      for (let c = 0; c < 3; c++) expect(data[(c * 24 + y) * 24 + x]).toBe(((10 + y) * width + 20 + x) * 3 + c);
    }
});

test("a face below the size asked for, or whose skin lies outside its window, is not judged", () => {
  const image = f32([1, 100, 100, 3], new Float32Array(30_000));
  const found = facePixels(image, [fakeFace(50, 50, 32), fakeFace(20, 50, 30)], 32);
  expect(found.map(({ window }) => window)).toEqual([{ x: 34, y: 34, side: 32 }]);
  expect(found[0]?.mask.shape).toEqual([32, 32]);
  expect(facePixels(image, [fakeFace(50, 50, 32), fakeFace(20, 50, 30)], 24)).toHaveLength(2);
  // The longer side counts.
  expect(facePixels(image, [{ ...fakeFace(50, 50, 32), box: [34, 40, 66, 60] }], 32)).toHaveLength(1);
  // Far outside: the window is moved into the picture, where the face is not.
  expect(facePixels(image, [fakeFace(-60, 50, 32)], 24)).toEqual([]);
});
