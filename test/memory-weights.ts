import { AppError } from "../engine/base/errors.ts";
import type { WeightFile } from "../engine/node/context.ts";
import { type TensorData, viewAs } from "../engine/tensor/dtype.ts";
import type { Tensor } from "../engine/tensor/tensor.ts";

/** A weight file that lives in memory. For tests. @param texts small files beside it, by relative path */
export function memoryWeights(
  tensors: ReadonlyMap<string, Tensor>,
  {
    metadata = {},
    texts = {},
    name = "memory.safetensors",
  }: { metadata?: Record<string, string>; texts?: Record<string, string>; name?: string } = {},
): WeightFile {
  const get = (key: string): Tensor => {
    const t = tensors.get(key);
    if (!t) throw new AppError("MODEL_TENSOR", `${name} has no ${key}`);
    return t;
  };
  return {
    name,
    fingerprint: name,
    tensors: new Map(
      [...tensors].map(([key, t]) => [key, { name: key, dtype: t.dtype, shape: t.shape, source: { kind: "host", tensor: t } }]),
    ),
    metadata,
    text: async (path) => texts[path],
    read: async (key) => get(key),
    async readRows(key, rows) {
      const t = get(key);
      const width = t.data.length / (t.shape[0] ?? 1);
      const parts: TensorData[] = rows.map((row) => t.data.slice(row * width, (row + 1) * width));
      return joined(t, rows.length, width, parts);
    },
  };
}

function joined(t: Tensor, count: number, width: number, parts: readonly TensorData[]): Tensor {
  const bytes = new Uint8Array((t.data.byteLength / t.data.length) * count * width);
  let at = 0;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  return { dtype: t.dtype, shape: [count, ...t.shape.slice(1)], data: viewAs(t.dtype, bytes.buffer, 0, count * width) };
}
