import { expect, test } from "vitest";
import { scoreColor } from "./score-color.ts";

const [red, yellow, green] = [
  [0.93, 0.26, 0.23],
  [0.98, 0.8, 0.2],
  [0.26, 0.8, 0.42],
] as const;
const close = (color: readonly number[]) => color.map((x) => expect.closeTo(x, 12));
const between = (a: readonly number[], b: readonly number[], t: number) => close(a.map((x, k) => x + t * ((b[k] ?? 0) - x)));

test("red, yellow and green at 0, 0.4 and 0.8; no further beyond them", () => {
  for (const [similarity, color] of [
    [-1, red],
    [0, red],
    [0.4, yellow],
    [0.8, green],
    [1, green],
  ] as const)
    expect(scoreColor(similarity)).toEqual(close(color));
});

test("mixed evenly in between", () => {
  expect(scoreColor(0.1)).toEqual(between(red, yellow, 0.25));
  expect(scoreColor(0.7)).toEqual(between(yellow, green, 0.75));
});
