import type { WeightEntry, WeightFile } from "../../../engine/node/context.ts";
import { float8FromFloat32, toFloat32 } from "../../../engine/tensor/convert.ts";
import { tensor } from "../../../engine/tensor/tensor.ts";
import { isAuxiliary } from "./dit-weights.ts";

const WIDE: readonly string[] = ["float32", "float16", "bfloat16"];

/**
 * The same file with its weights, biases and norms rounded to fp8, as ComfyUI loads a file by `weight_dtype`. The copy is in memory: a byte
 * per parameter.
 */
export async function castWeights(file: WeightFile, dtype: "float8e4m3fn" | "float8e5m2"): Promise<WeightFile> {
  const tensors = new Map<string, WeightEntry>();
  for (const [name, entry] of file.tensors) {
    if (!WIDE.includes(entry.dtype) || isAuxiliary(name)) {
      tensors.set(name, entry);
      continue;
    }
    const rounded = tensor(dtype, entry.shape, float8FromFloat32(toFloat32(await file.read(name)), dtype));
    tensors.set(name, { ...entry, dtype, source: { kind: "host", tensor: rounded } });
  }
  const hostOf = (name: string) => {
    const source = tensors.get(name)?.source;
    return source?.kind === "host" ? source.tensor : undefined;
  };
  return {
    name: file.name,
    fingerprint: `${file.fingerprint}:${dtype}`,
    tensors,
    metadata: file.metadata,
    text: (path) => file.text(path),
    read: async (name) => hostOf(name) ?? (await file.read(name)),
    readRows: (name, rows) => file.readRows(name, rows),
  };
}
