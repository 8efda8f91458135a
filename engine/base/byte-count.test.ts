import { expect, test } from "vitest";
import { byteCount, parseByteCount } from "./byte-count.ts";

test("bytes in words", () => {
  expect([17, 3.4e6, 999.4e3, 999.6e3, 40.86e9].map(byteCount)).toEqual(["17 B", "3.40 MB", "999 kB", "1.00 MB", "40.9 GB"]);
});

test.each([
  ["12GB", 12e9],
  ["12 gb", 12e9],
  ["1.5kB", 1500],
  ["8GiB", 8 * 2 ** 30],
  ["4096", 4096],
  ["4096B", 4096],
  ["2e9", 2e9],
  ["1TB", 1e12],
])("%s", (text, bytes) => {
  expect(parseByteCount(text)).toBe(bytes);
});

test.each(["", "GB", "12 XB", "-1GB", "1,5GB", "12GBs", "3iB", "NaN", "1e30GB", "half"])("%j is no number of bytes", (text) => {
  expect(parseByteCount(text)).toBeUndefined();
});
