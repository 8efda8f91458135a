import { expect, test } from "vitest";
import { fakeEmbeddings, fakeFace, greyImage } from "../../../test/fake-faces.ts";
import type { Point } from "../contracts/data.ts";
import { aspectOf, assignByPlace, layoutDistances, placeOf, placesOf } from "./layout.ts";

test("a place is the centre of the box as parts of the picture", () => {
  expect(placeOf({ ...fakeFace(0, 0), box: [10, 20, 30, 80] }, greyImage(100, 200))).toEqual([0.1, 0.5]);
  expect(aspectOf(greyImage(100, 200))).toBe(2);
});

test("every row has the place of its own face in its own picture", () => {
  const faces = { images: greyImage(100, 200), faces: [[fakeFace(20, 50)], [fakeFace(100, 25), fakeFace(150, 75)]] };
  const rows = fakeEmbeddings([[1], [1], [1]], { faces });
  const source = [
    { image: 1, face: 1 },
    { image: 0, face: 0 },
    { image: 1, face: 0 },
  ];
  expect(placesOf({ ...rows, source })).toEqual([
    [0.75, 0.75],
    [0.1, 0.5],
    [0.5, 0.25],
  ]);
  expect(() => placesOf({ ...rows, source: [{ image: 0, face: 1 }] })).toThrow(
    expect.objectContaining({ code: "MATCH_SOURCE", message: expect.stringContaining("row 0 names face 1 of picture 0") }),
  );
});

test("distances are in diagonals of the picture, whatever its shape", () => {
  const [targets, generated]: readonly [Point[], Point[]] = [
    [
      [0, 0],
      [0.5, 0.5],
    ],
    [
      [1, 1],
      [0, 1],
      [1, 0.5],
    ],
  ];
  const diagonal = Math.hypot(3, 4);
  const expected = [1, 4 / diagonal, Math.hypot(3, 2) / diagonal, 0.5, Math.hypot(1.5, 2) / diagonal, 1.5 / diagonal];
  const distances = layoutDistances(targets, generated, 3 / 4);
  expect(distances).toHaveLength(6);
  distances.forEach((d, i) => {
    expect(d).toBeCloseTo(expected[i] ?? Number.NaN, 12);
  });
});

test("places are shared out for the least way in all; who is left without one has −1", () => {
  expect(assignByPlace(Float64Array.of(0.2, 0.1, 0.9, 0.2), 2, 2)).toEqual([0, 1]);
  expect(assignByPlace(Float64Array.of(0.5, 0.1, 0.4), 3, 1)).toEqual([-1, 0, -1]);
  expect(assignByPlace(new Float64Array(), 2, 0)).toEqual([-1, -1]);
});
