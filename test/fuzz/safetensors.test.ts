// F1: whatever the bytes, reading a safetensors file either works or says why, at once, and takes no memory the file does not have.
import { expect, test } from "vitest";
import { AppError } from "../../engine/base/errors.ts";
import { type RandomSource, randomSource } from "../../engine/base/random.ts";
import { readSafetensors, writeSafetensors } from "../../engine/formats/safetensors.ts";
import { DTYPES } from "../../engine/tensor/dtype.ts";
import { type Tensor, zerosTensor } from "../../engine/tensor/tensor.ts";
import { FUZZ_TIMEOUT_MS, fuzzRuns, mutateBytes } from "./mutations.ts";

const RUNS = fuzzRuns(40_000);
const pick = <T>(r: RandomSource, list: readonly T[], otherwise: T): T => list[r.below(list.length)] ?? otherwise;

/** A valid file. */
function validFile(r: RandomSource): Uint8Array {
  const tensors = new Map<string, Tensor>();
  for (let i = r.below(5); i > 0; i--) {
    const dtype = pick(r, DTYPES, "float32");
    const shape = Array.from({ length: r.below(4) }, () => r.below(4));
    tensors.set(pick(r, ["a", "b.weight", "__proto__", "é", `t${i}`], "a"), zerosTensor(dtype, shape));
  }
  return writeSafetensors(tensors, r.below(2) ? { format: "pt", note: '"\\' } : {});
}

const NUMBERS = '0 1 2 3 4 8 16 00 -1 1.5 1e3 4294967296 9007199254740993 99999999999999999999 null "4" []'.split(" ");

/** A header that is JSON, or nearly, with every field drawn from likely and unlikely values; the length may lie. */
function structured(r: RandomSource): Uint8Array {
  const number = () => (r.below(3) ? String(r.below(20)) : pick(r, NUMBERS, "0"));
  const field = (): string =>
    pick(
      r,
      [
        `"dtype":"${pick(r, ["F32", "BF16", "U8", "I64", "F8_E4M3", "BOOL", "U64", "f32", "", "__proto__"], "F32")}"`,
        `"shape":[${Array.from({ length: r.below(4) }, number)}]`,
        `"data_offsets":[${number()},${number()}]`,
        `"data_offsets":[${number()}]`,
        `"extra":${number()}`,
      ],
      "",
    );
  const entry = (): string => {
    if (r.below(3) === 0) return `{${Array.from({ length: r.below(5) }, field)}}`;
    const begin = r.below(12);
    const length = r.below(12);
    const shape = r.below(20) ? String(r.below(6)) : pick(r, ["4294967296,4294967296", Array(33).fill(1).join()], "1");
    return `{"dtype":"${pick(r, ["U8", "BF16", "F32", "U64"], "U8")}","shape":[${shape}],"data_offsets":[${begin},${begin + length}]}`;
  };
  const names = ["a", "b", "__proto__", "constructor", "__metadata__", "\\u0061", ""];
  const parts = Array.from({ length: r.below(5) }, () => `"${pick(r, names, "a")}":${r.below(9) ? entry() : '{"k":"v"}'}`);
  const json = new TextEncoder().encode(`{${parts.join(",")}}${" ".repeat(r.below(3))}`);
  const out = new Uint8Array(8 + json.length + r.below(40));
  new DataView(out.buffer).setBigUint64(0, BigInt(r.below(10) ? json.length : r.below(200)), true);
  out.set(json, 8);
  return out;
}

test(`${RUNS} hostile files`, { timeout: FUZZ_TIMEOUT_MS }, () => {
  const r = randomSource(20_260);
  const codes = new Map<string, number>();
  for (let i = 0; i < RUNS; i++) {
    const bytes = i % 2 ? structured(r) : mutateBytes(r, validFile(r));
    let code = "accepted";
    try {
      const { tensors } = readSafetensors(bytes);
      let held = 0;
      for (const t of tensors.values()) held += t.data.byteLength;
      // Every byte of a tensor is a byte of the file, and no two tensors have the same one.
      if (held > bytes.length) throw new Error(`${held} bytes of tensors from a file of ${bytes.length}`);
    } catch (error) {
      if (!(error instanceof AppError) || !error.code.startsWith("FILE_SAFETENSORS_")) throw error;
      if (error.message.length > 1000) throw new Error(`a message of ${error.message.length} characters`);
      code = error.code;
    }
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  // The generators reach every refusal that a small file can provoke, and let some files through.
  expect([...codes.keys()].sort()).toEqual(
    [
      "accepted",
      ...["TOO_SHORT", "HEADER_SIZE", "HEADER_TRUNCATED", "HEADER_START", "UTF8", "JSON", "METADATA", "DUPLICATE", "ENTRY", "NUMBER"].map(
        prefixed,
      ),
      ...["DTYPE", "DTYPE_UNSUPPORTED", "SHAPE", "OFFSETS", "HOLE", "OVERLAP", "OVERFLOW", "SIZE", "TRUNCATED", "TRAILING"].map(prefixed),
    ].sort(),
  );
  expect(codes.get("accepted")).toBeGreaterThan(RUNS / 1000);
});

function prefixed(code: string): string {
  return `FILE_SAFETENSORS_${code}`;
}

test("a header of 8 MB of names is read: work that grew with its square would not end", () => {
  const parts: string[] = [];
  for (let i = 0; i < 100_000; i++) parts.push(`"tensor.${i}.${"x".repeat(20)}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`);
  const json = new TextEncoder().encode(`{${parts.join(",")}}`);
  const bytes = new Uint8Array(8 + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  expect(readSafetensors(bytes).tensors.size).toBe(100_000);
});
