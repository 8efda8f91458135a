import { expect, test } from "vitest";
import { parseNumber } from "./parse-number.ts";

const int = { name: "width", type: "INT", min: 0, max: 18446744073709551615n } as const;
const float = { name: "cfg", type: "FLOAT", min: -1, max: 100 } as const;

test("numbers, decimal commas and written-out sums are read", () => {
  expect(parseNumber(" 512 ", int)).toEqual({ ok: true, value: 512 });
  expect(parseNumber("512*2+(8-4)/2", int)).toEqual({ ok: true, value: 1026 });
  expect(parseNumber("2,5", float)).toEqual({ ok: true, value: 2.5 });
  expect(parseNumber("1e-3", float)).toEqual({ ok: true, value: 0.001 });
  expect(parseNumber("-.5", float)).toEqual({ ok: true, value: -0.5 });
});

test("64-bit seeds keep their digits", () => {
  expect(parseNumber("18446744073709551615", int)).toEqual({ ok: true, value: 18446744073709551615n });
});

test("what is no number, or out of range, is refused with a reason, and never evaluated", () => {
  for (const text of ["", "abc", "alert(1)", "1+", "(2", "2 3", "__proto__", "1/0"]) expect(parseNumber(text, float).ok, text).toBe(false);
  expect(parseNumber("101", float)).toEqual({ ok: false, message: "cfg: 101 is above the maximum of 100." });
});
