import { expect, test } from "vitest";
import { roundHalfEven } from "./round-half-even.ts";

test("halves go to the even neighbour, everything else to the nearest", () => {
  expect([0.5, 1.5, 2.5, 3.5, -0.5, -1.5, 2.4999, 2.5001, 7, -2.6].map((x) => roundHalfEven(x) + 0)).toEqual([
    0, 2, 2, 4, 0, -2, 2, 3, 7, -3,
  ]);
});
