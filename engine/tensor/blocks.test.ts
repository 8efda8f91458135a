import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { blockLayout, isBlockFormat, packedBytes, unpackBlocks } from "./blocks.ts";
import { bytesOfTensor, f32 } from "./tensor.ts";

const fixture = z
  .object({
    formats: z.record(z.string(), z.object({ blocks: z.string(), sha256: z.string(), first: z.array(z.number()), sum: z.number() })),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "../../test/fixtures/ggml-blocks.json"), "utf8")));

test.each(Object.entries(fixture.formats))("%s: bit for bit what ggml's own Python package makes of it", (name, expected) => {
  if (!isBlockFormat(name)) throw new Error(`${name} is not read`);
  const blocks = new Uint8Array(Buffer.from(expected.blocks, "base64"));
  const values = unpackBlocks(name, blocks);
  expect([...values.slice(0, 4)]).toEqual(expected.first);
  expect(values.reduce((a, c) => a + c, 0)).toBeCloseTo(expected.sum, 3);
  const bytes = bytesOfTensor(f32([values.length], values));
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(expected.sha256);
  expect(packedBytes(name, values.length)).toBe(blocks.length);
});

test("a row that is no whole number of blocks has no packed size, and half a block is refused", () => {
  expect(packedBytes("Q8_0", 33)).toBeUndefined();
  expect(packedBytes("Q4_K", 128)).toBeUndefined();
  expect(packedBytes("Q4_K", 512)).toBe(2 * blockLayout("Q4_K").bytes);
  expect(() => unpackBlocks("Q4_0", new Uint8Array(17))).toThrow(RangeError);
  expect(isBlockFormat("constructor")).toBe(false);
});
