import { expect, test } from "vitest";
import { patchPositions, visionRotary, windowBatch, windows } from "./windows.ts";

const geometry = { patch: 14, merge: 2, window: 112 };

test("merge order goes through the patches of one token before the next", () => {
  const { rows, columns } = patchPositions({ h: 2, w: 4 }, 2);
  expect([...rows]).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
  expect([...columns]).toEqual([0, 1, 0, 1, 2, 3, 2, 3]);
});

test("windows cover every token once; ragged ones at the edge are smaller", () => {
  const all = windows({ h: 10, w: 18 }, geometry);
  expect(all.map((w) => w.length)).toEqual([16, 16, 4, 4, 4, 1]);
  expect(all.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 45 }, (_, i) => i));
  expect(all[1]?.slice(0, 5)).toEqual([4, 5, 6, 7, 13]);
});

test("gather and scatter of a window batch undo each other", () => {
  const batch = windowBatch({ h: 10, w: 18 }, geometry);
  expect([batch.count, batch.length]).toEqual([6, 64]);
  batch.scatter.forEach((place, patch) => {
    expect(batch.gather[Number(place)]).toBe(BigInt(patch));
    expect(batch.mask[Number(place)]).toBe(0);
  });
  expect(batch.mask.filter((m) => m === 0).length).toBe(180);
});

test("the first quarter of a head turns with the row, the second with the column", () => {
  const { cos, sin } = visionRotary({ h: 2, w: 2 }, 2, 8);
  // Patch 2 is row 1, column 0; patch 1 is row 0, column 1.
  expect(sin[2 * 8]).toBeCloseTo(Math.sin(1), 6);
  expect(sin[2 * 8 + 1]).toBeCloseTo(Math.sin(0.01), 6);
  expect(sin[2 * 8 + 2]).toBe(0);
  expect(sin[1 * 8 + 2]).toBeCloseTo(Math.sin(1), 6);
  expect(cos.subarray(24, 28)).toEqual(cos.subarray(28, 32));
});
