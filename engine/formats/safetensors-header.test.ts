import { expect, test } from "vitest";
import { AppError } from "../base/errors.ts";
import { parseSafetensorsHeader, shown } from "./safetensors-header.ts";

const tensor = (fields = '"dtype":"F32","shape":[2,3],"data_offsets":[0,24]') => `{${fields}}`;
/** The code behind FILE_SAFETENSORS_, or what was read. */
function codeOf(text: string): string {
  try {
    parseSafetensorsHeader(text);
    return "ok";
  } catch (error) {
    return error instanceof AppError ? error.code.replace("FILE_SAFETENSORS_", "") : String(error);
  }
}

test("tensors and texts, with space anywhere between", () => {
  const text = ` {\n"a" :\t{ "dtype" : "F32" ,\r\n"shape" : [ 2 , 3 ] , "data_offsets" : [ 0 , 24 ] } , "__metadata__" : { "k" : "v" , "l" : "" } , "b":{"data_offsets":[24,24],"shape":[],"dtype":"U8"}}  `;
  const { metadata, entries } = parseSafetensorsHeader(text);
  expect(metadata).toEqual({ k: "v", l: "" });
  expect([...entries]).toEqual([
    ["a", { dtype: "F32", shape: [2, 3], begin: 0, end: 24 }],
    ["b", { dtype: "U8", shape: [], begin: 24, end: 24 }],
  ]);
  expect(parseSafetensorsHeader("{}")).toEqual({ metadata: {}, entries: new Map() });
  expect(parseSafetensorsHeader('{"__metadata__":{}}').metadata).toEqual({});
});

test("names with escapes, and hostile ones", () => {
  const { entries, metadata } = parseSafetensorsHeader(
    `{"\\u00e9\\n\\"\\\\":${tensor()},"__proto__":${tensor()},"__metadata__":{"__proto__":"x"}}`,
  );
  expect([...entries.keys()]).toEqual(['é\n"\\', "__proto__"]);
  expect(Object.getOwnPropertyNames(metadata)).toEqual(["__proto__"]);
});

test.each([
  ["", "JSON"],
  ["[]", "JSON"],
  ["{", "JSON"],
  ['{"a"', "JSON"],
  ['{"a":', "JSON"],
  [`{"a":${tensor()}`, "JSON"],
  [`{"a":${tensor()},}`, "JSON"],
  [`{"a":${tensor()}}x`, "JSON"],
  [`{"a":${tensor()}} {}`, "JSON"],
  [`{"a:${tensor()}}`, "JSON"],
  ['{"a\\', "JSON"],
  [`{"a\\x":${tensor()}}`, "JSON"],
  [`{"a\n":${tensor()}}`, "JSON"],
  [`{"a\u001f":${tensor()}}`, "JSON"],
  [`{"\u0000":${tensor()}}`, "JSON"],
  [`{"a\\":${tensor()}}`, "JSON"],
  ['{"a":1}', "JSON"],
  ['{"a":{"shape":[12', "JSON"],
  ['{"a":{"shape":[', "NUMBER"],
  [`{"a":${tensor()},"a":${tensor()}}`, "DUPLICATE"],
  ['{"__metadata__":{},"__metadata__":{}}', "DUPLICATE"],
  ['{"__metadata__":{"a":"1","a":"2"}}', "DUPLICATE"],
  ['{"__metadata__":{"a":1}}', "METADATA"],
  ['{"__metadata__":{"a":null}}', "METADATA"],
  ['{"__metadata__":{"a":"1",}}', "JSON"],
  ['{"__metadata__":1}', "JSON"],
  [`{"a":{}}`, "ENTRY"],
  [`{"a":${tensor('"dtype":"F32","shape":[2]')}}`, "ENTRY"],
  [`{"a":${tensor('"dtype":"F32","data_offsets":[0,8]')}}`, "ENTRY"],
  [`{"a":${tensor('"shape":[2],"data_offsets":[0,8]')}}`, "ENTRY"],
  [`{"a":${tensor('"dtype":"F32","shape":[2],"data_offsets":[0]')}}`, "ENTRY"],
  [`{"a":${tensor('"dtype":"F32","shape":[2],"data_offsets":[0,8,9]')}}`, "ENTRY"],
  [`{"a":${tensor('"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1')}}`, "ENTRY"],
  [`{"a":${tensor('"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]')}}`, "ENTRY"],
  [`{"a":${tensor('"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]')}}`, "ENTRY"],
  [`{"a":${tensor('"dtype":"F32","shape":[2],"data_offsets":[0,8],"data_offsets":[0,8]')}}`, "ENTRY"],
  [`{"a":${tensor('"dtype":"F32","shape":[2,],"data_offsets":[0,8]')}}`, "NUMBER"],
  [`{"a":${tensor('"dtype":"F32","shape":[-1],"data_offsets":[0,8]')}}`, "NUMBER"],
  [`{"a":${tensor('"dtype":"F32","shape":[1.0],"data_offsets":[0,8]')}}`, "NUMBER"],
  [`{"a":${tensor('"dtype":"F32","shape":[1e3],"data_offsets":[0,8]')}}`, "NUMBER"],
  [`{"a":${tensor('"dtype":"F32","shape":[1E3],"data_offsets":[0,8]')}}`, "NUMBER"],
  [`{"a":${tensor('"dtype":"F32","shape":[01],"data_offsets":[0,8]')}}`, "NUMBER"],
  [`{"a":${tensor('"dtype":"F32","shape":[9007199254740992],"data_offsets":[0,8]')}}`, "NUMBER"],
  [`{"a":${tensor('"dtype":"F32","shape":[1 2],"data_offsets":[0,8]')}}`, "JSON"],
])("%s is refused: %s", (text, code) => {
  expect(codeOf(text)).toBe(code);
});

test("what a name may hold as it is: from the space on, DEL and what is beyond ASCII too; an escape is one wherever it stands", () => {
  for (const name of [" ", "a b", "\x7f", "é", "谁", "🙂", "'", "/"])
    expect([...parseSafetensorsHeader(`{"${name}":${tensor()}}`).entries.keys()]).toEqual([name]);
  const { metadata } = parseSafetensorsHeader('{"__metadata__":{"k":"a\\\\","l":"\\"","m":"\\u0041b c"}}');
  expect(metadata).toEqual({ k: "a\\", l: '"', m: "Ab c" });
});

test("numbers up to 2^53 − 1, 0, and ranks up to 32 are taken", () => {
  const one = (shape: string) => `{"a":${tensor(`"dtype":"F32","shape":${shape},"data_offsets":[0,9007199254740991]`)}}`;
  expect(parseSafetensorsHeader(one("[0,10,9007199254740991]")).entries.get("a")).toMatchObject({
    shape: [0, 10, Number.MAX_SAFE_INTEGER],
    end: Number.MAX_SAFE_INTEGER,
  });
  expect(codeOf(one(JSON.stringify(new Array(32).fill(1))))).toBe("ok");
  expect(codeOf(one(JSON.stringify(new Array(33).fill(1))))).toBe("SHAPE");
});

test("messages say where, with what is there instead", () => {
  expect(() => parseSafetensorsHeader('{"a";')).toThrow('the header has ";" at character 4, where : belongs');
  expect(() => parseSafetensorsHeader('{"a"')).toThrow("the header has its end at character 4, where : belongs");
  expect(() => parseSafetensorsHeader('{"abc')).toThrow("a string that starts at character 2 of the header does not end");
  expect(() => parseSafetensorsHeader("{}  1")).toThrow("continues after the end of its JSON, at character 4");
  expect(shown("x".repeat(120))).toBe(JSON.stringify("x".repeat(120)));
  expect(shown("x".repeat(121))).toBe(JSON.stringify(`${"x".repeat(117)}...`));
});
