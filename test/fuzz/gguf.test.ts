// Whatever the bytes, reading a GGUF header either works or says why, and every tensor it names lies inside the file.
import { expect, test } from "vitest";
import { AppError } from "../../engine/base/errors.ts";
import { type RandomSource, randomSource } from "../../engine/base/random.ts";
import { readGgufHeader } from "../../engine/formats/gguf.ts";
import { GGML, ggufFile } from "../gguf-file.ts";
import { FUZZ_TIMEOUT_MS, fuzzRuns, mutateBytes } from "./mutations.ts";

const RUNS = fuzzRuns(3_000);
const pick = <T>(r: RandomSource, list: readonly T[], otherwise: T): T => list[r.below(list.length)] ?? otherwise;

function validFile(r: RandomSource): Uint8Array {
  const tensors = Array.from({ length: r.below(4) }, (_, k) => {
    const type = pick(r, Object.values(GGML), GGML.F32);
    return { name: pick(r, ["a", "b.weight", "__proto__", "é"], "a") + k, shape: [1 + r.below(3), 256], type, bytes: new Uint8Array(3072) };
  });
  return ggufFile(tensors, r.below(2) ? { "general.architecture": "qwen_image", __proto: "x" } : {});
}

test(`${RUNS} damaged files`, { timeout: FUZZ_TIMEOUT_MS }, async () => {
  const random = randomSource(11);
  let [read, refused] = [0, 0];
  for (let n = 0; n < RUNS; n++) {
    const valid = validFile(random);
    const file = random.below(20) === 0 ? valid : mutateBytes(random, valid);
    try {
      const { tensors } = await readGgufHeader((offset, length) => Promise.resolve(file.subarray(offset, offset + length)), file.length);
      for (const { offset, length } of tensors.values()) expect(offset + length).toBeLessThanOrEqual(file.length);
      read++;
    } catch (error) {
      if (!(error instanceof AppError) || !/^FILE_GGUF_/.test(error.code)) throw error;
      refused++;
    }
  }
  expect(read).toBeGreaterThan(RUNS / 100);
  expect(refused).toBeGreaterThan(RUNS / 2);
});
