import { AppError } from "../../engine/base/errors.ts";
import { readSafetensors } from "../../engine/formats/safetensors.ts";
import type { WeightFile } from "../../engine/node/context.ts";
import type { Tensor } from "../../engine/tensor/tensor.ts";

/** A safetensors file that is still in memory, in the form in which loaders see files. */
export function weightsOfBytes(name: string, bytes: Uint8Array): WeightFile {
  const { metadata, tensors } = readSafetensors(bytes);
  const get = (key: string): Tensor => {
    const t = tensors.get(key);
    if (!t) throw new AppError("MODEL_TENSOR", `${name} has no tensor ${key}`);
    return t;
  };
  const refuse = () => Promise.reject(new AppError("MODEL_TENSOR", `${name} is not on disk`));
  return {
    name,
    fingerprint: name,
    metadata,
    tensors: new Map(
      [...tensors].map(([key, t]) => [key, { name: key, dtype: t.dtype, shape: t.shape, source: { kind: "host", tensor: t } }]),
    ),
    text: () => Promise.resolve(undefined),
    read: (key) => Promise.resolve(get(key)),
    readRows: refuse,
  };
}
