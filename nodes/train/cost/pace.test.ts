import { expect, test } from "vitest";
import { Pace, timeLeft } from "./pace.ts";

test("one slow update does not spoil the estimate; samplings and checkpoints are spread over all updates", () => {
  const pace = new Pace();
  pace.add(30, 0);
  for (let i = 0; i < 9; i++) pace.add(2, i === 8 ? 5 : 0);
  expect(pace.update).toBe(2);
  expect(pace.left(10)).toBeCloseTo(10 * 2.5);
});

test("the pace follows a change", () => {
  const pace = new Pace();
  for (let i = 0; i < 100; i++) pace.add(1, 0);
  for (let i = 0; i < 20; i++) pace.add(3, 0);
  expect(pace.update).toBe(3);
});

test.each([
  [12.4, "12 s"],
  [600, "10 min"],
  [9000, "2.5 h"],
])("%d s", (seconds, text) => expect(timeLeft(seconds)).toBe(text));
