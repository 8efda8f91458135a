import { expect, test } from "vitest";
import { Pace, timeLeft } from "./pace.ts";

test("one slow update does not spoil the estimate; samplings and checkpoints are spread over all updates", () => {
  const pace = new Pace();
  pace.add(30, 0);
  for (let i = 0; i < 9; i++) pace.add(2, i === 8 ? 5 : 0);
  expect(pace.update).toBe(2);
  expect(pace.left(10)).toBeCloseTo(10 * 2.5);
  const first = new Pace();
  expect(first.left(10)).toBe(0);
  first.add(2, 3);
  expect(first.left(10)).toBe(50);
  first.add(4, 0);
  expect(first.update).toBe(3);
});

test("the pace follows a change", () => {
  const pace = new Pace();
  for (let i = 0; i < 100; i++) pace.add(1, 0);
  for (let i = 0; i < 20; i++) pace.add(3, 0);
  expect(pace.update).toBe(3);
});

test.each([
  [12.4, "12 s"],
  [99, "99 s"],
  [100, "2 min"],
  [600, "10 min"],
  [5999, "100 min"],
  [6000, "1.7 h"],
  [9000, "2.5 h"],
])("%d s", (seconds, text) => expect(timeLeft(seconds)).toBe(text));
