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
