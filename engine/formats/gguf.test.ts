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
