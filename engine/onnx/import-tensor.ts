// TensorProto → tensors and weight sources. Sizes are checked against the data before anything is allocated.
import { AppError } from "../base/errors.ts";
import type { WeightSource } from "../ir/value.ts";
import { bfloat16FromFloat32 } from "../tensor/convert.ts";
import { bytesOf, copyOfBytes, DTYPES, type DType, type TensorData, viewAs, zeros } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { OnnxNumbers, OnnxTensor } from "./decode.ts";
import { ELEM_TYPE } from "./elem-type.ts";
import { eachFloat, eachInteger } from "./proto-reader.ts";

/** Inline data from this size on stays in the model's file instead of being copied. */
const MAPPED = 2 ** 20;

/** The dtype of an ONNX element type. @throws AppError ONNX_DTYPE */
export function dtypeOf(elemType: number, where: string): DType {
  const dtype = DTYPES.find((d) => ELEM_TYPE[d] === elemType);
  if (!dtype) throw new AppError("ONNX_DTYPE", `${where} has element type ${elemType}, which is not supported`);
  return dtype;
}

/** Shape and byte length, both checked. @throws AppError ONNX_TENSOR */
function sizeOf(t: OnnxTensor, dtype: DType): { shape: Shape; count: number } {
  let count = 1;
  for (const d of t.dims) {
    if (!Number.isSafeInteger(d) || d < 0) throw new AppError("ONNX_TENSOR", `tensor ${t.name} has dimension ${d}`);
    count *= d;
    if (!Number.isSafeInteger(count * bytesOf(dtype)))
      throw new AppError("ONNX_TENSOR", `tensor ${t.name} of shape [${t.dims}] has more than 2^53 bytes`);
  }
  return { shape: t.dims, count };
}

/** The tensor's numbers, copied. @throws AppError ONNX_TENSOR, ONNX_DTYPE; ONNX_EXTERNAL when they are in another file */
export function readTensor(t: OnnxTensor): Tensor {
  const dtype = dtypeOf(t.elemType, `tensor ${t.name}`);
  const { shape, count } = sizeOf(t, dtype);
  if (t.external)
    throw new AppError("ONNX_EXTERNAL", `tensor ${t.name} decides a shape but lies in another file`, {
      hint: "export the model with small tensors inline",
    });
  const length = count * bytesOf(dtype);
  if (t.raw) {
    if (t.raw.length !== length) throw misfit(t, `${t.raw.length} bytes for ${length}`);
    return tensor(dtype, shape, viewAs(dtype, copyOfBytes(t.raw).buffer, 0, count));
  }
  const numbers = dtype === "float32" ? t.floats : dtype === "float64" ? t.doubles : t.ints;
  if (numbers.count !== count) throw misfit(t, `${numbers.count} numbers for ${count}`);
  return tensor(dtype, shape, readNumbers(dtype, numbers));
}

/** 16-bit floats are stored as their bits in int32_data. */
function readNumbers(dtype: DType, { count, fields }: OnnxNumbers): TensorData {
  const data = zeros(dtype, count);
  let at = 0;
  if (data instanceof BigInt64Array) {
    const halves = new Uint32Array(data.buffer);
    for (const f of fields)
      eachInteger(f, (low, high) => {
        halves[at++] = low;
        halves[at++] = high;
      });
  } else if (dtype === "float32" || dtype === "float64")
    for (const f of fields)
      eachFloat(f, dtype === "float32" ? 4 : 8, (x) => {
        data[at++] = x;
      });
  else
    for (const f of fields)
      eachInteger(f, (low) => {
        data[at++] = low;
      });
  return data;
}

/** A tensor of any non-8-bit-float dtype from numbers. int64 saturates. */
export function fromNumbers(dtype: DType, shape: Shape, numbers: Float64Array): Tensor {
  const data = zeros(dtype, numbers.length);
  if (dtype === "float16") return tensor(dtype, shape, new Uint16Array(Float16Array.from(numbers).buffer));
  if (dtype === "bfloat16") return tensor(dtype, shape, bfloat16FromFloat32(Float32Array.from(numbers)));
  if (dtype.startsWith("float8")) throw new AppError("ONNX_DTYPE", `no ${dtype} constants are computed`);
  if (data instanceof BigInt64Array)
    data.set(
      Array.from(numbers, (x) =>
        x >= 2 ** 63 ? 2n ** 63n - 1n : x <= -(2 ** 63) ? -(2n ** 63n) : BigInt(Math.trunc(Number.isNaN(x) ? 0 : x)),
      ),
    );
  else data.set(numbers);
  return tensor(dtype, shape, data);
}

function misfit(t: OnnxTensor, how: string): AppError {
  return new AppError("ONNX_TENSOR", `tensor ${t.name} of shape [${t.dims}] has ${how}`, { hint: "the file is damaged: get it again" });
}

/** Where a weight's bytes are. Large inline data is addressed inside the model file itself, when its path is known. */
export function weightSource(
  t: OnnxTensor,
  model: Uint8Array,
  path: string | undefined,
  external: ReadonlyMap<string, string> = new Map(),
): { dtype: DType; shape: Shape; source: WeightSource } {
  const dtype = dtypeOf(t.elemType, `tensor ${t.name}`);
  const { shape, count } = sizeOf(t, dtype);
  const length = count * bytesOf(dtype);
  if (t.external) return { dtype, shape, source: externalSource(t, t.external, length, path, external) };
  if (t.raw && path !== undefined && length >= MAPPED && t.raw.length === length && t.raw.buffer === model.buffer)
    return { dtype, shape, source: { kind: "file", path, offset: t.raw.byteOffset - model.byteOffset, length } };
  return { dtype, shape, source: { kind: "host", tensor: readTensor(t) } };
}

/** External data may only be named below the model's own folder: the textual half of the check, before anybody looks for the file. */
function externalSource(
  t: OnnxTensor,
  entries: ReadonlyMap<string, string>,
  length: number,
  path: string | undefined,
  external: ReadonlyMap<string, string>,
): WeightSource {
  const location = entries.get("location") ?? "";
  const folder = path === undefined ? undefined : path.slice(0, path.lastIndexOf("/"));
  if (folder === undefined)
    throw new AppError("ONNX_EXTERNAL", `tensor ${t.name} lies in ${quoted(location)}, but the model came without a folder`);
  const parts = location.split("/");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (location === "" || /[\\:\u0000-\u001f]/.test(location) || parts.some((p) => p === ".." || p === "." || p === ""))
    throw new AppError("ONNX_EXTERNAL_PATH", `tensor ${t.name} points to ${quoted(location)}, outside the model's folder`, {
      hint: "external data must be a plain relative path below the model's folder",
    });
  const offset = number(entries.get("offset") ?? "0");
  const given = number(entries.get("length") ?? String(length));
  if (offset === null || given !== length)
    throw new AppError(
      "ONNX_EXTERNAL",
      `tensor ${t.name} of shape [${t.dims}] needs ${length} bytes, the file gives offset ${quoted(entries.get("offset") ?? "0")} and length ${quoted(entries.get("length") ?? "")}`,
    );
  return { kind: "file", path: external.get(location) ?? `${folder}/${location}`, offset, length };
}

function number(digits: string): number | null {
  const n = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  return Number.isSafeInteger(n) ? n : null;
}

function quoted(s: string): string {
  return JSON.stringify(s.length > 80 ? `${s.slice(0, 80)}…` : s);
}
