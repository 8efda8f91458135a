import { describe, expect, it } from "vitest";
import { area, type Box, iou, suppress } from "./box.ts";

const box = (x: number, y: number, size: number): Box => [x, y, x + size, y + size];

it("measures overlap", () => {
  expect(iou(box(0, 0, 10), box(5, 0, 10))).toBeCloseTo(1 / 3, 12);
  expect(iou(box(0, 0, 10), box(20, 0, 10))).toBe(0);
  expect(area([5, 5, 1, 1])).toBe(0);
  expect(iou([1, 1, 1, 1], [1, 1, 1, 1])).toBe(0);
});

describe("suppress", () => {
  it("keeps the surest of overlapping boxes, and all that are apart", () => {
    const a = { box: box(0, 0, 10), score: 0.7 };
    const b = { box: box(1, 1, 10), score: 0.9 };
    const c = { box: box(30, 0, 10), score: 0.6 };
    expect(suppress([a, b, c], 0.3)).toEqual([b, c]);
  });

  it("keeps the first of equals", () => {
    const a = { box: box(0, 0, 10), score: 0.7, name: "a" };
    const b = { box: box(0, 0, 10), score: 0.7, name: "b" };
    expect(suppress([a, b], 0.3).map((f) => f.name)).toEqual(["a"]);
  });

  it("drops a box inside a surer one only when asked to", () => {
    const face = { box: box(0, 0, 100), score: 0.9 };
    const eye = { box: box(20, 20, 20), score: 0.8 };
    expect(suppress([face, eye], 0.3)).toEqual([face, eye]);
    expect(suppress([face, eye], 0.3, 0.7)).toEqual([face]);
  });
});
