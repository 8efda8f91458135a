// Conversions between float32 and everything a weight file can hold. 16- and 8-bit floats are raw bits in unsigned arrays.
import { AppError } from "../base/errors.ts";
import { type ArrayOf, type DType, type TensorData, zeros } from "./dtype.ts";
import { hasDType, type Tensor } from "./tensor.ts";

const word = new Uint32Array(1);
const asFloat = new Float32Array(word.buffer);

/** e4m3fn: bias 7, no infinity, NaN at 0x7f and 0xff, largest 448 (https://arxiv.org/abs/2209.05433, table 1). */
function e4m3fnValue(bits: number): number {
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits >> 3) & 15;
  const mantissa = bits & 7;
  if (exponent === 15 && mantissa === 7) return Number.NaN;
  return sign * (exponent === 0 ? mantissa * 2 ** -9 : (8 + mantissa) * 2 ** (exponent - 10));
}

function table(length: number, value: (bits: number) => number): Float32Array {
  return Float32Array.from({ length }, (_, bits) => value(bits));
}
const e4m3fnTable = table(256, e4m3fnValue);
// e5m2 is the upper byte of a binary16.
const e5m2Table = float32FromFloat16(Uint16Array.from({ length: 256 }, (_, bits) => bits << 8));

function lookUp(data: Uint8Array, values: Float32Array): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = values[data[i] ?? 0] ?? 0;
  return out;
}

/** bfloat16 bits are the upper half of a float32: exact for every pattern, NaN payloads included. */
export function float32FromBfloat16(data: Uint16Array): Float32Array {
  const bits = new Uint32Array(data.length);
  for (let i = 0; i < data.length; i++) bits[i] = (data[i] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}

/** float16 bits to float32, exact. */
export function float32FromFloat16(data: Uint16Array): Float32Array {
  return new Float32Array(new Float16Array(data.buffer, data.byteOffset, data.length));
}

/** fp8 bits to float32, exact. */
export function float32FromFloat8(data: Uint8Array, dtype: "float8e4m3fn" | "float8e5m2"): Float32Array {
  return lookUp(data, dtype === "float8e4m3fn" ? e4m3fnTable : e5m2Table);
}

/**
 * Any tensor's numbers as float32: shared, not copied, when they are float32 already. 64-bit floats and wide integers are
 * rounded to the nearest float32.
 */
export function toFloat32(t: Tensor): Float32Array {
  if (hasDType(t, "float32")) return t.data;
  if (hasDType(t, "bfloat16")) return float32FromBfloat16(t.data);
  if (hasDType(t, "float16")) return float32FromFloat16(t.data);
  if (hasDType(t, "float8e4m3fn")) return float32FromFloat8(t.data, "float8e4m3fn");
  if (hasDType(t, "float8e5m2")) return float32FromFloat8(t.data, "float8e5m2");
  const { data } = t;
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = Number(data[i]);
  return out;
}

/** float32 to bfloat16, to nearest, ties to even. NaN stays NaN (made quiet), overflow becomes infinity. */
export function bfloat16FromFloat32(data: Float32Array): Uint16Array {
  const out = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) {
    asFloat[0] = data[i] ?? 0;
    const x = word[0] ?? 0;
    out[i] = (x & 0x7fffffff) > 0x7f800000 ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
  }
  return out;
}

/**
 * Rounds a float32 bit pattern to an 8-bit format, to nearest, ties to even.
 * @param mantissa its mantissa bits
 * @param bias its exponent bias
 * @returns the magnitude's bits, without sign; may exceed the largest finite pattern
 */
function roundMagnitude(magnitude: number, mantissa: number, bias: number): number {
  const exponent = (magnitude >>> 23) - 127 + bias;
  if (exponent > 0) {
    const drop = 23 - mantissa;
    const rebased = magnitude - ((127 - bias) << 23);
    return (rebased + (1 << (drop - 1)) - 1 + ((rebased >>> drop) & 1)) >>> drop;
  }
  // Subnormal there: the implicit one becomes explicit and moves right.
  const drop = 24 - mantissa - exponent;
  if (drop > 24) return 0;
  const full = (magnitude & 0x7fffff) | 0x800000;
  const kept = full >>> drop;
  const rest = full & (2 ** drop - 1);
  const half = 2 ** (drop - 1);
  return rest > half || (rest === half && kept % 2 === 1) ? kept + 1 : kept;
}

/** float32 to float16, to nearest, ties to even; subnormals kept, overflow becomes infinity, NaN stays NaN. */
export function float16FromFloat32(data: Float32Array): Uint16Array {
  return new Uint16Array(new Float16Array(data).buffer);
}

/**
 * float32 to fp8, to nearest, ties to even. What is too large (infinity too) becomes ±448 in e4m3fn, which has no infinity,
 * and infinity in e5m2, as in PyTorch 2.15's `.to(float8)`.
 */
export function float8FromFloat32(data: Float32Array, dtype: "float8e4m3fn" | "float8e5m2"): Uint8Array {
  const out = new Uint8Array(data.length);
  const [mantissa, bias] = dtype === "float8e4m3fn" ? [3, 7] : [2, 15];
  const [overflow, nan] = dtype === "float8e4m3fn" ? [0x7e, 0x7f] : [0x7c, 0x7f];
  for (let i = 0; i < data.length; i++) {
    asFloat[0] = data[i] ?? 0;
    const x = word[0] ?? 0;
    const sign = (x >>> 24) & 0x80;
    const magnitude = x & 0x7fffffff;
    if (magnitude > 0x7f800000) out[i] = sign | nan;
    else out[i] = sign | Math.min(overflow, roundMagnitude(magnitude, mantissa, bias));
  }
  return out;
}

/**
 * float32 numbers in another dtype: floats to nearest (ties to even), integers truncated towards zero and clamped to their
 * range (NaN is 0), bool is "not zero".
 */
export function fromFloat32<D extends DType>(data: Float32Array, dtype: D): ArrayOf[D];
export function fromFloat32(data: Float32Array, dtype: DType): TensorData {
  switch (dtype) {
    case "float32":
      return data;
    case "float64":
      return Float64Array.from(data);
    case "bfloat16":
      return bfloat16FromFloat32(data);
    case "float16":
      return float16FromFloat32(data);
    case "float8e4m3fn":
    case "float8e5m2":
      return float8FromFloat32(data, dtype);
    case "bool":
      return Uint8Array.from(data, (x) => (x !== 0 ? 1 : 0));
    case "int64":
      return BigInt64Array.from(data, (x) => BigInt.asIntN(64, clampInt64(x)));
    default:
      return integersFrom(data, dtype);
  }
}

function clampInt64(x: number): bigint {
  if (Number.isNaN(x)) return 0n;
  if (x >= 2 ** 63) return 2n ** 63n - 1n;
  return x <= -(2 ** 63) ? -(2n ** 63n) : BigInt(Math.trunc(x));
}

const RANGE: Readonly<Partial<Record<DType, readonly [min: number, max: number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
};

function integersFrom(data: Float32Array, dtype: DType): TensorData {
  const range = RANGE[dtype];
  const out = zeros(dtype, data.length);
  if (!range || out instanceof BigInt64Array) throw new AppError("TENSOR_DTYPE", `float32 cannot become ${dtype}`);
  for (let i = 0; i < data.length; i++) out[i] = Math.min(range[1], Math.max(range[0], Math.trunc(data[i] ?? 0))) || 0;
  return out;
}
