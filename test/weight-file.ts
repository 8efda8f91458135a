import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../engine/base/errors.ts";
import { readSafetensors, readSafetensorsHeader } from "../engine/formats/safetensors.ts";
import type { WeightEntry, WeightFile } from "../engine/node/context.ts";
import { memoryWeights } from "./memory-weights.ts";

/** A safetensors file by path, its weights mapped where they lie. For tests and parity. */
export async function openWeightFile(path: string): Promise<WeightFile> {
  const bytes = readFileSync(path);
  const { metadata, tensors } = await readSafetensorsHeader((offset, length) => bytes.subarray(offset, offset + length), bytes.length);
  const entries = new Map<string, WeightEntry>();
  for (const [name, { dtype, shape, offset, length }] of tensors)
    entries.set(name, { name, dtype, shape, source: { kind: "file", path, offset, length } });
  return { ...memoryWeights(readSafetensors(bytes).tensors, { metadata, name: path }), tensors: entries };
}

/** A file of test/golden. @throws AppError GOLDEN_NAME for a path */
export function goldenFile(name: string): Promise<WeightFile> {
  if (name.includes("/")) throw new AppError("GOLDEN_NAME", `${name} is not a file name`);
  return openWeightFile(join(import.meta.dirname, "golden", name));
}
