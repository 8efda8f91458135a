import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AppError } from "../base/errors.ts";
import { bytesOf, DTYPES, zeros } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import { bytesOfTensor, f32, type Tensor, tensor } from "../tensor/tensor.ts";
import {
  layoutSafetensors,
  readSafetensors,
  readSafetensorsHeader,
  safetensorsParts,
  tensorOfBytes,
  writeSafetensors,
} from "./safetensors.ts";

/** A file from header text and a number of data bytes. */
function file(header: string | Uint8Array, data: number, claimed?: bigint): Uint8Array {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const out = new Uint8Array(8 + json.length + data);
  new DataView(out.buffer).setBigUint64(0, claimed ?? BigInt(json.length), true);
  out.set(json, 8);
  return out;
}
function codeOf(bytes: Uint8Array): string {
  try {
    readSafetensors(bytes);
    return "accepted";
  } catch (error) {
    if (error instanceof AppError) return error.code.replace("FILE_SAFETENSORS_", "");
    throw error;
  }
}
const one = (fields: string) => `{"a":{${fields}}}`;
const a4 = '"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';

describe("hostile and damaged files are refused, each for its own reason", () => {
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ["empty file", new Uint8Array(0), "TOO_SHORT"],
    ["seven bytes", new Uint8Array(7), "TOO_SHORT"],
    ["header of no bytes", file("", 0), "HEADER_SIZE"],
    ["header larger than 100 MB", file("{}", 0, 100_000_001n), "HEADER_SIZE"],
    ["header of 2^64 - 1 bytes", file("{}", 0, 2n ** 64n - 1n), "HEADER_SIZE"],
    ["header longer than the file", file("{}", 0, 3n), "HEADER_TRUNCATED"],
    ["header starts with a space", file(" {}", 0), "HEADER_START"],
    ["byte order mark", file("\ufeff{}", 0), "HEADER_START"],
    ["header is an array", file("[]", 0), "HEADER_START"],
    ["not UTF-8", file(new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 0), "UTF8"],
    ["JSON that stops", file('{"a":', 0), "JSON"],
    ["string that stops", file('{"a', 0), "JSON"],
    ["control character in a string", file('{"a\u0001":1}', 0), "JSON"],
    ["bad escape", file('{"\\q":1}', 0), "JSON"],
    ["text after the JSON", file("{}{}", 0), "JSON"],
    ["deep nesting", file(`{"a":${"[".repeat(50_000)}`, 0), "JSON"],
    ["trailing comma", file(`{${a4},}`, 4), "JSON"],
    ["metadata with a number", file('{"__metadata__":{"a":1}}', 0), "METADATA"],
    ["metadata twice", file('{"__metadata__":{},"__metadata__":{}}', 0), "DUPLICATE"],
    ["metadata key twice", file('{"__metadata__":{"a":"","a":""}}', 0), "DUPLICATE"],
    ["tensor twice", file(`{${a4},${a4}}`, 4), "DUPLICATE"],
    ["tensor twice, once escaped", file(`{${a4},"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "DUPLICATE"],
    ["no dtype", file(one('"shape":[1],"data_offsets":[0,4]'), 4), "ENTRY"],
    ["one offset", file(one('"dtype":"F32","shape":[1],"data_offsets":[0]'), 4), "ENTRY"],
    ["unknown field", file(one('"dtype":"F32","shape":[1],"data_offsets":[0,4],"path":"/etc/passwd"'), 4), "ENTRY"],
    ["shape twice", file(one('"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]'), 4), "ENTRY"],
    ["unknown dtype", file(one('"dtype":"F31","shape":[1],"data_offsets":[0,4]'), 4), "DTYPE"],
    ["dtype __proto__", file(one('"dtype":"__proto__","shape":[1],"data_offsets":[0,4]'), 4), "DTYPE"],
    ["U64", file(one('"dtype":"U64","shape":[1],"data_offsets":[0,8]'), 8), "DTYPE_UNSUPPORTED"],
    ["negative dimension", file(one('"dtype":"F32","shape":[-1],"data_offsets":[0,4]'), 4), "NUMBER"],
    ["fractional dimension", file(one('"dtype":"F32","shape":[1.0],"data_offsets":[0,4]'), 4), "NUMBER"],
    ["dimension with a leading zero", file(one('"dtype":"F32","shape":[01],"data_offsets":[0,4]'), 4), "NUMBER"],
    ["dimension with an exponent", file(one('"dtype":"F32","shape":[1e0],"data_offsets":[0,4]'), 4), "NUMBER"],
    ["dimension with a large exponent", file(one('"dtype":"F32","shape":[1E0],"data_offsets":[0,4]'), 4), "NUMBER"],
    ["no dimension", file(one('"dtype":"F32","shape":[,1],"data_offsets":[0,4]'), 4), "NUMBER"],
    ["dimension above 2^53", file(one('"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]'), 4), "NUMBER"],
    ["33 dimensions", file(one(`"dtype":"F32","shape":[${Array(33).fill(1)}],"data_offsets":[0,4]`), 4), "SHAPE"],
    ["product that overflows", file(one('"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]'), 4), "OVERFLOW"],
    ["product that wraps to the size", file(one('"dtype":"U8","shape":[4294967297,4294967295,0],"data_offsets":[0,0]'), 0), "OVERFLOW"],
    ["ends before it begins", file(one('"dtype":"F32","shape":[1],"data_offsets":[4,0]'), 4), "OFFSETS"],
    ["does not start at 0", file(one('"dtype":"F32","shape":[1],"data_offsets":[4,8]'), 8), "HOLE"],
    ["hole", file(`{${a4},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`, 12), "HOLE"],
    ["overlap", file(`{${a4},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`, 6), "OVERLAP"],
    ["same bytes twice", file(`{${a4},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), "OVERLAP"],
    ["shape larger than the span", file(one('"dtype":"F32","shape":[2],"data_offsets":[0,4]'), 4), "SIZE"],
    ["file ends early", file(`{${a4}}`, 3), "TRUNCATED"],
    ["bytes after the end", file(`{${a4}}`, 5), "TRAILING"],
    ["bytes after an empty header", file("{}", 1), "TRAILING"],
  ];
  test.each(cases)("%s", (_, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });
});

test("a file without tensors, padding, empty tensors and scalars are fine", () => {
  expect(codeOf(file("{}", 0))).toBe("accepted");
  expect(codeOf(file("{}      ", 0))).toBe("accepted");
  const read = readSafetensors(
    file(
      '{"__index_timestep_zero__":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"s":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}',
      2,
    ),
  );
  expect(read.tensors.get("__index_timestep_zero__")?.shape).toEqual([0]);
  expect(read.tensors.get("s")?.data.length).toBe(1);
});

test("__proto__ is a name like any other", () => {
  const bytes = file('{"__metadata__":{"__proto__":"x"},"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1);
  const read = readSafetensors(bytes);
  expect([...read.tensors.keys()]).toEqual(["__proto__"]);
  expect(Object.getPrototypeOf(read.metadata)).toBe(Object.prototype);
  expect(Object.keys(read.metadata)).toEqual(["__proto__"]);
});

test("the header alone is read in two reads, inside the file", async () => {
  const bytes = writeSafetensors(new Map([["w", f32([2, 2], [1, 2, 3, 4])]]), { format: "pt" });
  const reads: [number, number][] = [];
  const header = await readSafetensorsHeader((offset, length) => {
    reads.push([offset, length]);
    return bytes.subarray(offset, offset + length);
  }, bytes.length);
  expect(reads).toEqual([
    [0, 8],
    [8, bytes.length - 8 - 16],
  ]);
  expect(header.tensors.get("w")).toEqual({ dtype: "float32", shape: [2, 2], offset: bytes.length - 16, length: 16 });
  await expect(readSafetensorsHeader(() => new Uint8Array(8).fill(9, 0, 1), bytes.length)).rejects.toMatchObject({
    code: "FILE_SAFETENSORS_READ",
  });
});

test("files of the reference implementation", () => {
  const bytes = new Uint8Array(readFileSync(new URL("../../test/golden/te_tiny_comfy.safetensors", import.meta.url)));
  const read = readSafetensors(bytes);
  expect(read.tensors.size).toBeGreaterThan(20);
  const copy = readSafetensors(writeSafetensors(read.tensors, read.metadata));
  for (const [name, t] of read.tensors) {
    const back = copy.tensors.get(name);
    expect([back?.dtype, back?.shape]).toEqual([t.dtype, t.shape]);
    expect(Buffer.compare(bytesOfTensor(t), back ? bytesOfTensor(back) : new Uint8Array())).toBe(0);
  }
});

const anyTensor = fc
  .record({ dtype: fc.constantFrom(...DTYPES), shape: fc.array(fc.nat(4), { maxLength: 4 }), fill: fc.integer() })
  .map(({ dtype, shape, fill }): Tensor => {
    const t = tensor(dtype, shape, zeros(dtype, sizeOf(shape)));
    const bytes = bytesOfTensor(t);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (fill + i * 37) & 255;
    return t;
  });
const anyName = fc
  .oneof(fc.string({ unit: "binary", maxLength: 12 }), fc.constantFrom("__proto__", "constructor", 'a"\\\u0000b', ""))
  .filter((n) => n !== "__metadata__");

test("read(write(x)) = x, and the same content gives the same bytes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(anyName, anyTensor), { maxLength: 8 }),
      fc.dictionary(anyName, fc.string()),
      async (list, metadata) => {
        const tensors = new Map(list);
        const bytes = writeSafetensors(tensors, metadata);
        const read = readSafetensors(bytes);
        expect(new Map([...read.tensors].map(([n, t]) => [n, [t.dtype, t.shape, [...bytesOfTensor(t)]]]))).toEqual(
          new Map([...tensors].map(([n, t]) => [n, [t.dtype, t.shape, [...bytesOfTensor(t)]]])),
        );
        expect({ ...read.metadata }).toEqual({ ...metadata });
        expect(writeSafetensors(new Map([...tensors].reverse()), metadata)).toEqual(bytes);
        const parts: Uint8Array[] = [];
        const sources = new Map([...tensors].map(([n, t]) => [n, { dtype: t.dtype, shape: t.shape, bytes: () => bytesOfTensor(t) }]));
        for await (const part of safetensorsParts(sources, metadata)) parts.push(part);
        expect(new Uint8Array(Buffer.concat(parts))).toEqual(bytes);
      },
    ),
    { numRuns: 100 },
  );
});

test("what is written is aligned", () => {
  const layout = layoutSafetensors([
    ["a", { dtype: "uint8", shape: [3] }],
    ["b", { dtype: "float64", shape: [1] }],
    ["c", { dtype: "bfloat16", shape: [5] }],
  ]);
  expect([...layout.tensors.keys()]).toEqual(["b", "c", "a"]);
  for (const e of layout.tensors.values()) expect(e.offset % bytesOf(e.dtype)).toBe(0);
  expect(layout.header.length % 8).toBe(0);
});

test("a source of the wrong length and a reserved name are refused", async () => {
  const parts = safetensorsParts(new Map([["a", { dtype: "float32", shape: [2], bytes: () => new Uint8Array(4) }]]));
  await parts.next();
  await expect(parts.next()).rejects.toMatchObject({ code: "FILE_SAFETENSORS_SIZE" });
  expect(() => layoutSafetensors([["__metadata__", { dtype: "uint8", shape: [1] }]])).toThrow(/__metadata__/);
});

test("a Node Buffer anywhere in its pool reads as the same bytes", () => {
  for (let offset = 0; offset < 9; offset++) {
    const pool = Buffer.alloc(64, 0xff);
    pool.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), offset);
    const read = tensorOfBytes({ dtype: "float32", shape: [2] }, pool.subarray(offset, offset + 8));
    expect([...read.data]).toEqual([1.5, -2]);
  }
});
