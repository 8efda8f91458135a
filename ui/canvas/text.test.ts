import { expect, test } from "vitest";
import { cut, wrap } from "./text.ts";

/** A letter is one wide. */
const context = { font: "x", measureText: (text: string) => ({ width: text.length }) } as unknown as CanvasRenderingContext2D;

test("text that does not fit ends in …, also when what is missing is a whole line", () => {
  expect(cut(context, "abcdef", 4)).toBe("abc…");
  expect(wrap(context, "one two three", 7, 2)).toEqual(["one two", "three"]);
  expect(wrap(context, "one two three four", 9, 1)).toEqual(["one two…"]);
  expect(wrap(context, "a\nb\nc", 9, 2)).toEqual(["a", "b…"]);
  expect(wrap(context, "a\nb", 9, 2)).toEqual(["a", "b"]);
});
