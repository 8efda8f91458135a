import { readFileSync } from "node:fs";
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
