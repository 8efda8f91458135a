import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { GGML, type GgufTensor, ggufFile } from "../../test/gguf-file.ts";
import { unpackBlocks } from "../tensor/blocks.ts";
import { readGgufHeader } from "./gguf.ts";

const fixture = z
  .object({ file: z.string(), weight: z.array(z.number()) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "../../test/fixtures/ggml-blocks.json"), "utf8")));

const read = (file: Uint8Array, size = file.length) =>
  readGgufHeader((offset, length) => Promise.resolve(file.subarray(offset, offset + length)), size);

test("a file by ggml's own Python package: keys, shapes outermost first, a kept shape, packed and plain weights", async () => {
  const file = new Uint8Array(Buffer.from(fixture.file, "base64"));
  const { metadata, tensors } = await read(file);
  expect(metadata).toMatchObject({ "general.architecture": "qwen_image", "general.name": "tiny", yes: "true", third: "0.25" });
  expect([...tensors].map(([name, t]) => [name, t.dtype, t.shape, t.packing])).toEqual([
    ["block.weight", "float32", [2, 64], "Q8_0"],
    ["block.bias", "float32", [3], undefined],
    ["half", "float16", [3, 2], undefined],
    ["reshaped", "float32", [2, 2, 8], "Q4_0"],
  ]);
  const weight = tensors.get("block.weight");
  const bytes = file.subarray(weight?.offset, (weight?.offset ?? 0) + (weight?.length ?? 0));
  expect([...unpackBlocks("Q8_0", bytes).slice(0, 6)]).toEqual(fixture.weight);
  const bias = tensors.get("block.bias");
  expect([...new Float32Array(file.slice(bias?.offset, (bias?.offset ?? 0) + 12).buffer)]).toEqual([1.5, -2.25, 3]);
});

test("a header longer than the first chunk is read on", async () => {
  const long = "x".repeat(3 * 2 ** 20);
  const { metadata, tensors } = await read(ggufFile([plain("w", [2])], { long }));
  expect(metadata.long).toBe(long);
  expect(tensors.size).toBe(1);
});

const plain = (name: string, shape: readonly number[]): GgufTensor => ({
  name,
  shape,
  type: GGML.F32,
  bytes: new Uint8Array(4 * shape.reduce((n, d) => n * d, 1)),
});

test.each<[what: string, file: Uint8Array, code: string, message: RegExp]>([
  ["another file", new TextEncoder().encode("not a model at all"), "FILE_GGUF_MAGIC", /does not begin with GGUF/],
  ["an old version", changed(ggufFile([]), 4, 1), "FILE_GGUF_VERSION", /version 1/],
  ["a name twice", ggufFile([plain("w", [2]), plain("w", [2])]), "FILE_GGUF_DUPLICATE", /"w" is in the file twice/],
  ["a format that is not read", ggufFile([{ ...plain("w", [256]), type: GGML.IQ4_XS }]), "FILE_GGUF_TYPE", /"w" is packed as IQ4_XS/],
  ["an unknown type", ggufFile([{ ...plain("w", [2]), type: 77 }]), "FILE_GGUF_TYPE", /unknown type 77/],
  ["half a block", ggufFile([{ ...plain("w", [40]), type: GGML.Q8_0 }]), "FILE_GGUF_SHAPE", /40 weights is no whole number of Q8_0/],
  ["five dimensions", ggufFile([plain("w", [1, 1, 1, 1, 2])]), "FILE_GGUF_SHAPE", /5 dimensions/],
  ["an alignment of no use", ggufFile([], { "general.alignment": "none" }), "FILE_GGUF_NUMBER", /general.alignment is "none"/],
  ["cut in its data", ggufFile([plain("w", [64])]).subarray(0, -200), "FILE_GGUF_TRUNCATED", /"w" ends at byte/],
  ["cut in its header", ggufFile([plain("w", [64])]).subarray(0, 40), "FILE_GGUF_TRUNCATED", /inside its header/],
])("refused: %s", async (_, file, code, message) => {
  await expect(read(file)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

function changed(file: Uint8Array, at: number, to: number): Uint8Array {
  const copy = new Uint8Array(file);
  copy[at] = to;
  return copy;
}

test("counts and lengths that the file cannot hold are refused without memory for them", async () => {
  const file = ggufFile([plain("w", [2])], { key: "value" });
  const claims = (at: number, value: bigint) => {
    const copy = new Uint8Array(file);
    new DataView(copy.buffer).setBigUint64(at, value, true);
    return copy;
  };
  await expect(read(claims(8, 2n ** 50n))).rejects.toMatchObject({ code: expect.stringMatching(/^FILE_GGUF_/) });
  await expect(read(claims(16, 2n ** 50n))).rejects.toMatchObject({ code: expect.stringMatching(/^FILE_GGUF_/) });
  await expect(read(claims(24, 2n ** 40n))).rejects.toMatchObject({ code: "FILE_GGUF_NUMBER" });
  await expect(read(claims(24, 2n ** 60n))).rejects.toMatchObject({ code: "FILE_GGUF_NUMBER" });
});

test("an alignment is a whole number from 1 to 2^20", async () => {
  const aligned = (alignment: string) => read(ggufFile([], { "general.alignment": alignment }));
  for (const taken of ["1", "32", String(2 ** 20)]) expect((await aligned(taken)).tensors.size, taken).toBe(0);
  for (const refused of ["0", "-32", "1.5", String(2 ** 20 + 1)])
    await expect(aligned(refused), refused).rejects.toMatchObject({ code: "FILE_GGUF_NUMBER" });
});

/** Value types of keys, with the number of bytes of each and how it is written, little endian. */
const NUMBERS: readonly (readonly [type: number, bytes: number, write: (view: DataView, at: number) => void, says: string])[] = [
  [0, 1, (v, at) => v.setUint8(at, 200), "200"],
  [1, 1, (v, at) => v.setInt8(at, -100), "-100"],
  [2, 2, (v, at) => v.setUint16(at, 60_000, true), "60000"],
  [3, 2, (v, at) => v.setInt16(at, -30_000, true), "-30000"],
  [4, 4, (v, at) => v.setUint32(at, 4_000_000_000, true), "4000000000"],
  [5, 4, (v, at) => v.setInt32(at, -2_000_000_000, true), "-2000000000"],
  [6, 4, (v, at) => v.setFloat32(at, 1.5, true), "1.5"],
  [7, 1, (v, at) => v.setUint8(at, 0), "false"],
  [10, 8, (v, at) => v.setBigUint64(at, 2n ** 63n + 1n, true), "9223372036854775809"],
  [11, 8, (v, at) => v.setBigInt64(at, -(2n ** 62n), true), "-4611686018427387904"],
  [12, 8, (v, at) => v.setFloat64(at, -0.1, true), "-0.1"],
];

/** A file of two keys and no tensor: this value (`count` times as an array, else alone), then a text that is found only when the value was passed over exactly. */
function twoKeys([type, bytes, write]: (typeof NUMBERS)[number], count?: number): Uint8Array {
  const out = new Uint8Array(400);
  const view = new DataView(out.buffer);
  let at = 0;
  const put = (size: number, set: (at: number) => void) => {
    set(at);
    at += size;
  };
  const u32 = (n: number) => put(4, (p) => view.setUint32(p, n, true));
  const u64 = (n: number) => put(8, (p) => view.setBigUint64(p, BigInt(n), true));
  const text = (s: string) => {
    u64(s.length);
    put(s.length, (p) => out.set(new TextEncoder().encode(s), p));
  };
  put(4, (p) => out.set(new TextEncoder().encode("GGUF"), p));
  u32(3);
  u64(0);
  u64(2);
  text("value");
  u32(count === undefined ? type : 9);
  if (count !== undefined) {
    u32(type);
    u64(count);
  }
  for (let k = 0; k < (count ?? 1); k++) put(bytes, (p) => write(view, p));
  text("after");
  u32(8);
  text("found");
  return out.subarray(0, at);
}

test.each(NUMBERS)("keys of type %i, alone and in arrays of any length: the next key is where it belongs", async (...number) => {
  const [, , , says] = number;
  expect((await read(twoKeys(number))).metadata).toEqual({ value: says, after: "found" });
  for (const count of [0, 1, 3, 20]) expect((await read(twoKeys(number, count))).metadata, `${count}`).toEqual({ after: "found" });
});

test("an empty file is refused without a read; a long header is read in pieces that grow, each once and within the file", async () => {
  const reads: [number, number][] = [];
  const of = (file: Uint8Array) =>
    readGgufHeader((offset, length) => {
      reads.push([offset, length]);
      return Promise.resolve(file.subarray(offset, offset + length));
    }, file.length);
  await expect(of(new Uint8Array())).rejects.toMatchObject({ code: "FILE_GGUF_TRUNCATED" });
  expect(reads).toEqual([]);
  const file = ggufFile([plain("w", [2])], { long: "x".repeat(5 * 2 ** 20) });
  await of(file);
  const MiB = 2 ** 20;
  expect(reads).toEqual([
    [0, MiB],
    [MiB, 3 * MiB],
    [4 * MiB, file.length - 4 * MiB],
  ]);
});

test("a header beyond 64 MiB, and a file that shrinks while it is read, are refused", async () => {
  // One key: an array of more numbers than the limit; the rest of the file is zeros.
  const head = twoKeys([0, 1, () => undefined, ""], 0).slice(0, 24 + 8 + 5 + 4 + 4 + 8);
  new DataView(head.buffer).setBigUint64(head.length - 8, 70n * 2n ** 20n, true);
  let most = 0;
  const huge = (offset: number, length: number) => {
    most = Math.max(most, offset + length);
    const piece = new Uint8Array(length);
    if (offset === 0) piece.set(head);
    return Promise.resolve(piece);
  };
  await expect(readGgufHeader(huge, 90 * 2 ** 20)).rejects.toMatchObject({
    code: "FILE_GGUF_TRUNCATED",
    message: `the header is longer than ${64 * 2 ** 20} bytes`,
  });
  expect(most).toBe(64 * 2 ** 20);
  const file = ggufFile([plain("w", [2])]);
  await expect(read(file.subarray(0, 40), file.length)).rejects.toMatchObject({
    code: "FILE_GGUF_TRUNCATED",
    message: "the file has become shorter while it was read",
  });
});

test("a text of up to 64 MiB may be claimed; its bytes are UTF-8, a mark at its start is part of it", async () => {
  const claims = (length: number) => {
    const file = ggufFile([], { key: "value" });
    new DataView(file.buffer).setBigUint64(24, BigInt(length), true);
    return read(file);
  };
  await expect(claims(64 * 2 ** 20)).rejects.toMatchObject({ code: "FILE_GGUF_TRUNCATED" });
  await expect(claims(64 * 2 ** 20 + 1)).rejects.toMatchObject({
    code: "FILE_GGUF_NUMBER",
    message: `key 1 claims ${64 * 2 ** 20 + 1} bytes`,
  });
  expect((await read(ggufFile([], { key: "\ufeffa" }))).metadata).toEqual({ key: "\ufeffa" });
  const broken = ggufFile([], { key: "value" });
  broken[broken.indexOf(0x76)] = 0xff;
  await expect(read(broken)).rejects.toMatchObject({ code: "FILE_GGUF_UTF8", message: 'the value of "key" is not UTF-8 text' });
});

test("version 2 is read as version 3 is, and others are not", async () => {
  const file = ggufFile([plain("w", [2])], { a: "b" });
  expect(await read(changed(file, 4, 2))).toEqual(await read(file));
  for (const version of [0, 1, 4]) await expect(read(changed(file, 4, version))).rejects.toMatchObject({ code: "FILE_GGUF_VERSION" });
});

test("a key comes once, be it a text or an array", async () => {
  const pairs = [
    ["one", "two"],
    ["one", [1]],
    [[1], "one"],
    [[1], [2]],
  ] as const;
  for (const [first, second] of pairs) {
    const file = ggufFile([], { ka: first, kb: second });
    expect((await read(file)).tensors.size).toBe(0);
    file[Buffer.from(file).indexOf("kb") + 1] = 0x61;
    await expect(read(file)).rejects.toMatchObject({ code: "FILE_GGUF_DUPLICATE", message: 'key "ka" is in the file twice' });
  }
  const named = ggufFile([], { _aproto__: "x" });
  named[Buffer.from(named).indexOf("_aproto") + 1] = 0x5f;
  expect(Object.entries((await read(named)).metadata)).toEqual([["__proto__", "x"]]);
});

test("a key of a type that the format lacks, alone and in an array, is refused; texts in an array are passed over", async () => {
  for (const type of [13, 255]) {
    await expect(read(twoKeys([type, 1, () => undefined, ""]))).rejects.toMatchObject({
      code: "FILE_GGUF_TYPE",
      message: expect.stringContaining("is of the unknown type"),
    });
    await expect(read(twoKeys([type, 1, () => undefined, ""], 1))).rejects.toMatchObject({
      code: "FILE_GGUF_TYPE",
      message: expect.stringContaining("an array of the unknown type"),
    });
  }
  await expect(read(twoKeys([9, 1, () => undefined, ""], 1))).rejects.toMatchObject({ code: "FILE_GGUF_TYPE" });
  // Two bytes behind a length of two.
  const text = [8, 10, (view: DataView, at: number) => view.setBigUint64(at, 2n, true), ""] as const;
  for (const count of [0, 1, 3, 20]) expect((await read(twoKeys(text, count))).metadata, `${count}`).toEqual({ after: "found" });
});

const kept = (values: readonly number[], shape: readonly number[] = [2, 12]) =>
  read(ggufFile([plain("w", shape), plain("v", [3])], { "comfy.gguf.orig_shape.w": values }));

test("a kept shape is the tensor's, of up to eight dimensions, when it holds as many weights", async () => {
  for (const shape of [[24], [3, 8], [2, 3, 4], [1, 2, 3, 2, 2], [1, 1, 1, 1, 1, 2, 3, 4]]) {
    const { tensors } = await kept(shape);
    expect([tensors.get("w")?.shape, tensors.get("v")?.shape], `${shape}`).toEqual([shape, [3]]);
  }
  expect((await kept([3, 0], [0])).tensors.get("w")?.shape).toEqual([3, 0]);
  // Longer ones are no shape.
  expect((await kept(new Array(9).fill(1))).tensors.get("w")?.shape).toEqual([2, 12]);
  for (const wrong of [[23], [25], [2, 11], [1, -2, -12], [1.5, 16, 1], [Number.NaN], []])
    await expect(kept(wrong), `${wrong}`).rejects.toMatchObject({
      code: "FILE_GGUF_SHAPE",
      message: expect.stringContaining('"w" of [2,12] cannot have the shape'),
    });
});

test("sizes: a number alone, four dimensions, nothing, and at most 2^53 − 1 weights", async () => {
  for (const shape of [[], [1, 2, 3, 4], [0]]) expect((await read(ggufFile([plain("w", shape)]))).tensors.get("w")?.shape).toEqual(shape);
  const claimed = (shape: readonly number[]) => read(ggufFile([{ name: "w", shape, type: 24, bytes: new Uint8Array(1) }]));
  await expect(claimed([2 ** 53 - 1])).rejects.toMatchObject({ code: "FILE_GGUF_TRUNCATED" });
  await expect(claimed([2 ** 27, 2 ** 26])).rejects.toMatchObject({ code: "FILE_GGUF_SHAPE" });
});

test("plain numbers of every type, each as wide as it is", async () => {
  for (const [type, dtype, width] of [
    [0, "float32", 4],
    [1, "float16", 2],
    [24, "int8", 1],
    [25, "int16", 2],
    [26, "int32", 4],
    [27, "int64", 8],
    [28, "float64", 8],
    [30, "bfloat16", 2],
  ] as const) {
    // Thirty-two bytes, up to the last byte of the file.
    const file = ggufFile([{ name: "w", shape: [32 / width], type, bytes: new Uint8Array(32) }]);
    expect((await read(file)).tensors.get("w")).toEqual({ dtype, shape: [32 / width], offset: file.length - 32, length: 32 });
    await expect(read(file.subarray(0, -1))).rejects.toMatchObject({ code: "FILE_GGUF_TRUNCATED" });
  }
});

test("data begins at the next multiple of the alignment", async () => {
  for (const alignment of [1, 8, 32, 256]) {
    const first = { ...plain("w", [2]), bytes: new Uint8Array(8).fill(7) };
    const file = ggufFile([first, plain("v", [4])], { "general.alignment": String(alignment) }, alignment);
    const { tensors } = await read(file);
    const { offset = -1 } = tensors.get("w") ?? {};
    expect([offset % alignment, offset, tensors.get("v")?.offset]).toEqual([0, file.indexOf(7, 60), offset + Math.max(8, alignment)]);
  }
});
