import { expect, test } from "vitest";
import { AppError } from "./errors.ts";
import { jsonOf, parseJson, stringifyJson } from "./json.ts";

const limits = { maxCharacters: 10_000, maxDepth: 8 };
const code = (text: string): string => {
  try {
    parseJson(text, limits);
    return "ok";
  } catch (error) {
    return error instanceof AppError ? error.code : "untyped";
  }
};

test("64-bit seeds survive reading and writing digit by digit", () => {
  const text = '{"seed":18446744073709551615,"low":-9007199254740993,"safe":9007199254740991,"float":1e300,"big":5e22}';
  const value = parseJson(text, limits);
  expect(value).toEqual({
    seed: 18446744073709551615n,
    low: -9007199254740993n,
    safe: 9007199254740991,
    float: 1e300,
    big: 5e22,
  });
  expect(stringifyJson({ seed: 18446744073709551615n })).toBe('{"seed":18446744073709551615}');
});

test("Python's NaN and Infinity are numbers, inside strings they stay as they are as they are as they are as they are", () => {
  expect(parseJson('{"a":NaN,"b":[-Infinity,Infinity],"c":"NaN \\" Infinity","d":1}', limits)).toEqual({
    a: Number.NaN,
    b: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    c: 'NaN " Infinity',
    d: 1,
  });
});

test("limits and hostile keys are typed errors", () => {
  expect(code("[".repeat(9))).toBe("JSON_TOO_DEEP");
  expect(code("[".repeat(8))).toBe("JSON_SYNTAX");
  expect(code(`"${"[".repeat(9)}"`)).toBe("ok");
  expect(code(" ".repeat(10_001))).toBe("JSON_TOO_LARGE");
  expect(code('{"a":{"__proto__":{"x":1}}}')).toBe("JSON_KEY");
  expect(code('{"constructor":1,"toString":2}')).toBe("ok");
  expect(code("{'a':1}")).toBe("JSON_SYNTAX");
  expect(code("")).toBe("JSON_SYNTAX");
  expect(() => stringifyJson(stringifyLoop())).toThrow(expect.objectContaining({ code: "JSON_UNWRITABLE" }));
});

test("a line that was left unfinished is nothing", () => {
  expect(jsonOf('{"a": [1]}')).toEqual({ a: [1] });
  expect([jsonOf('{"a": [1'), jsonOf("")]).toEqual([undefined, undefined]);
});

function stringifyLoop(): unknown {
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  return loop;
}
