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
    ["eight bytes", new Uint8Array(8), "HEADER_SIZE"],
    ["header of no bytes", file("", 0), "HEADER_SIZE"],
    ["header of one byte", file("{", 0), "HEADER_SIZE"],
    ["header of 100 MB in a short file", file("{}", 0, 100_000_000n), "HEADER_TRUNCATED"],
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
    ["shape smaller than the span", file(one('"dtype":"F32","shape":[1],"data_offsets":[0,8]'), 8), "SIZE"],
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

test("tensors are put in the order of their bytes, an empty one before the one that begins where it ends", () => {
  const entry = (name: string, shape: number, begin: number) =>
    `"${name}":{"dtype":"U8","shape":[${shape}],"data_offsets":[${begin},${begin + shape}]}`;
  const entries = [entry("a", 0, 0), entry("b", 3, 0), entry("c", 0, 3), entry("d", 2, 3), entry("e", 0, 5)];
  const orders = [
    [0, 1, 2, 3, 4],
    [4, 3, 2, 1, 0],
    [1, 0, 3, 2, 4],
    [3, 4, 0, 2, 1],
  ];
  for (const order of orders) {
    const bytes = file(`{${order.map((k) => entries[k]).join(",")}}`, 5);
    bytes.set([1, 2, 3, 4, 5], bytes.length - 5);
    expect([...readSafetensors(bytes).tensors].map(([name, t]) => [name, ...t.data])).toEqual([
      ["a"],
      ["b", 1, 2, 3],
      ["c"],
      ["d", 4, 5],
      ["e"],
    ]);
  }
});

test("a reader that gives too little is noticed, at the length and at the header", async () => {
  const bytes = writeSafetensors(new Map([["w", f32([1], [1])]]));
  const short = (less: number, at: number) =>
    readSafetensorsHeader((offset, length) => bytes.subarray(offset, offset + length - (offset === at ? less : 0)), bytes.length);
  await expect(short(1, 0)).rejects.toMatchObject({ code: "FILE_SAFETENSORS_READ", message: "the first 8 bytes could not be read" });
  await expect(short(1, 8)).rejects.toMatchObject({ code: "FILE_SAFETENSORS_READ", message: expect.stringContaining("of the header's") });
  expect((await short(0, 0)).tensors.size).toBe(1);
  await expect(readSafetensorsHeader(() => bytes, 7)).rejects.toMatchObject({ code: "FILE_SAFETENSORS_TOO_SHORT" });
});

test("the file is canonical: texts by name, tensors by width and name, offsets without gaps, spaces up to a multiple of eight", () => {
  const types = [
    ["b", { dtype: "uint8", shape: [3] }],
    ["a", { dtype: "uint8", shape: [2] }],
    ["B", { dtype: "uint8", shape: [1] }],
    ["z", { dtype: "float32", shape: [] }],
  ] as const;
  const { header, fileSize, tensors } = layoutSafetensors(types, { b: "2", a: "1", c: "3" });
  const json =
    '{"__metadata__":{"a":"1","b":"2","c":"3"},"z":{"dtype":"F32","shape":[],"data_offsets":[0,4]},' +
    '"B":{"dtype":"U8","shape":[1],"data_offsets":[4,5]},"a":{"dtype":"U8","shape":[2],"data_offsets":[5,7]},' +
    '"b":{"dtype":"U8","shape":[3],"data_offsets":[7,10]}}';
  const length = Math.ceil(json.length / 8) * 8;
  expect(new TextDecoder().decode(header.subarray(8))).toBe(json.padEnd(length));
  expect(new DataView(header.buffer).getBigUint64(0, true)).toBe(BigInt(length));
  expect([...tensors].map(([name, t]) => [name, t.offset - 8 - length, t.length])).toEqual([
    ["z", 0, 4],
    ["B", 4, 1],
    ["a", 5, 2],
    ["b", 7, 3],
  ]);
  expect(fileSize).toBe(8 + length + 10);
  expect(new TextDecoder().decode(layoutSafetensors([]).header.subarray(8))).toBe("{}      ");
});

test("a tensor of 2^53 bytes, and a header beyond 100 MB, are refused when a file is laid out", () => {
  const of = (shape: readonly number[]) => layoutSafetensors([["a", { dtype: "uint8", shape }]]);
  expect(of([2 ** 53 - 1]).tensors.get("a")?.length).toBe(2 ** 53 - 1);
  expect(() => of([2 ** 27, 2 ** 26])).toThrow(expect.objectContaining({ code: "FILE_SAFETENSORS_OVERFLOW" }));
  expect(() => layoutSafetensors([], { k: "x".repeat(100_000_000) })).toThrow(
    expect.objectContaining({ code: "FILE_SAFETENSORS_HEADER_SIZE" }),
  );
});

test("a tensor shares the file's memory where it may, and has its own where its place is not aligned; its bytes are as many as its type needs", () => {
  const bytes = new Uint8Array(17);
  const aligned = tensorOfBytes({ dtype: "float32", shape: [2] }, bytes.subarray(4, 12));
  expect([aligned.data.buffer === bytes.buffer, aligned.data.byteOffset, aligned.data.length]).toEqual([true, 4, 2]);
  const copied = tensorOfBytes({ dtype: "float32", shape: [2] }, bytes.subarray(5, 13));
  expect(copied.data.buffer).not.toBe(bytes.buffer);
  for (const length of [0, 4, 7, 12])
    expect(() => tensorOfBytes({ dtype: "float32", shape: [2] }, bytes.subarray(0, length))).toThrow(
      expect.objectContaining({ code: "TENSOR_SHAPE" }),
    );
});

test("a source that gives too much, or is gone, is refused by name", async () => {
  const after = async (bytes: () => Uint8Array) => {
    const parts = safetensorsParts(new Map([["a", { dtype: "float32", shape: [2], bytes }]]));
    await parts.next();
    return parts.next();
  };
  await expect(after(() => new Uint8Array(9))).rejects.toThrow('tensor "a" needs 8 bytes, its source gave 9');
  expect((await after(() => new Uint8Array(8))).value).toEqual(new Uint8Array(8));
});
