import { expect, test } from "vitest";
import { bytes, duration, short, twoDigits } from "./numbers.ts";

test("numbers are short, with a real minus", () => {
  expect([-0.051, 0.4].map(twoDigits)).toEqual(["−0.05", "0.40"]);
  expect([0, 0.012345, -1.5e-6, 1e-5, 12_340.4, 2.5e7, 1 / 3, Number.NaN].map(short)).toEqual([
    "0",
    "0.01235",
    "−1.5e−6",
    "1e−5",
    "12,340",
    "2.5e7",
    "0.3333",
    "NaN",
  ]);
});

test("durations have two units at most, bytes one digit after the point", () => {
  expect([0, 0.0123, 4.26, 41.4, 59.7, 130, 3600, 11_100, 90_000].map(duration)).toEqual([
    "0 s",
    "12 ms",
    "4.3 s",
    "41 s",
    "1 min",
    "2 min 10 s",
    "1 h",
    "3 h 5 min",
    "1 d 1 h",
  ]);
  expect([12, 1300, 1.34e9, 999_600, 2e14].map(bytes)).toEqual(["12 bytes", "1.3 kB", "1.3 GB", "1 MB", "200 TB"]);
});
