import { expect, test } from "vitest";
import { heatColor } from "./heat-color.ts";
import { partRows } from "./score-parts.ts";

test("bars share one scale through zero", () => {
  expect(partRows({ mimr: 0.5, count: -0.5, nothing: 0, broken: Number.NaN })).toEqual([
    { name: "mimr", value: 0.5, from: 0.5, length: 0.5 },
    { name: "count", value: -0.5, from: 0, length: 0.5 },
    { name: "nothing", value: 0, from: 0.5, length: 0 },
    { name: "broken", value: Number.NaN, from: 0.5, length: 0 },
  ]);
  expect(partRows({})).toEqual([]);
});

test("heat is clear where there is none, and grows lighter all the way", () => {
  expect(heatColor(0)[3]).toBe(0);
  expect(heatColor(1)).toEqual([252, 255, 164, 255]);
  const lightness = Array.from({ length: 21 }, (_, i) => {
    const [r, g, b] = heatColor(i / 20);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  });
  expect(lightness.every((l, i) => i === 0 || l >= (lightness[i - 1] ?? 0))).toBe(true);
});
