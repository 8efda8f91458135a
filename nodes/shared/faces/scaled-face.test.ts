import { expect, test } from "vitest";
import { fakeFace, greyImage } from "../../../test/fake-faces.ts";
import { scaledFace } from "./scaled-face.ts";

test("box and points go with each side of the picture; in a picture of the same size the face is the same", () => {
  const face = { ...fakeFace(20, 30, 10), points68: [[10, 40] as const] };
  const moved = scaledFace(face, greyImage(100, 200), greyImage(200, 600));
  expect(moved.box).toEqual([45, 50, 75, 70]);
  expect(moved.points5[0]).toEqual([54, 57]);
  expect(moved.points68).toEqual([[30, 80]]);
  expect(moved.score).toBe(0.9);
  expect(scaledFace(face, greyImage(100, 200), greyImage(100, 200))).toBe(face);
  expect(scaledFace(face, greyImage(100, 200), greyImage(200, 200)).box).toEqual([15, 50, 25, 70]);
  expect(scaledFace(face, greyImage(100, 200), greyImage(100, 400)).box).toEqual([30, 25, 50, 35]);
});
