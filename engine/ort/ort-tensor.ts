// Host tensors ↔ the binding's tensors. Nothing is copied on the way in; outputs arrive as the binding's own copies.
import * as ort from "onnxruntime-node";
import { AppError } from "../base/errors.ts";
import type { DType } from "../tensor/dtype.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";

/** dtypes the binding can feed and fetch. bfloat16 and fp8 exist only inside sessions. */
export const FEEDABLE = ["float32", "float64", "float16", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "bool"] as const;

/** @throws AppError ORT_DTYPE for dtypes that cannot cross the binding. */
export function toOrt(name: string, t: Tensor): ort.Tensor {
  const type = FEEDABLE.find((d) => d === t.dtype);
  if (!type)
    throw new AppError("ORT_DTYPE", `input ${name}: ${t.dtype} cannot be fed`, { hint: "convert to float32 or float16 before feeding" });
  return new ort.Tensor(type, t.data, t.shape);
}

/** @throws AppError ORT_DTYPE */
export function fromOrt(name: string, dtype: DType, shape: readonly number[], value: ort.OnnxValue | undefined): Tensor {
  if (!(value instanceof ort.Tensor)) throw new AppError("ORT_RUN", `output ${name} did not come back as a tensor`);
  const data = value.data;
  if (dtype === "float32" && data instanceof Float32Array) return tensor(dtype, shape, data);
  if (dtype === "float64" && data instanceof Float64Array) return tensor(dtype, shape, data);
  if (dtype === "int64" && data instanceof BigInt64Array) return tensor(dtype, shape, data);
  if (dtype === "int32" && data instanceof Int32Array) return tensor(dtype, shape, data);
  if (dtype === "uint32" && data instanceof Uint32Array) return tensor(dtype, shape, data);
  if (dtype === "int16" && data instanceof Int16Array) return tensor(dtype, shape, data);
  if (dtype === "int8" && data instanceof Int8Array) return tensor(dtype, shape, data);
  if ((dtype === "uint8" || dtype === "bool") && data instanceof Uint8Array) return tensor(dtype, shape, data);
  if ((dtype === "uint16" || dtype === "float16") && data instanceof Uint16Array) return tensor(dtype, shape, data);
  if (dtype === "float16" && ArrayBuffer.isView(data))
    return tensor(dtype, shape, new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2));
  throw new AppError("ORT_DTYPE", `output ${name}: ${value.type} came back where ${dtype} was expected`);
}
