// Element types, named as ONNX names them in lower case.

/** Every element type the engine can hold. 16-bit floats are kept as raw bits (`Uint16Array`), fp8 and bool as `Uint8Array`. */
export const DTYPES = [
  "float32",
  "float16",
  "bfloat16",
  "float64",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "bool",
  "float8e4m3fn",
  "float8e5m2",
] as const;
export type DType = (typeof DTYPES)[number];

/** The typed array that carries each dtype. */
export interface ArrayOf {
  float32: Float32Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  float64: Float64Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  bool: Uint8Array;
  float8e4m3fn: Uint8Array;
  float8e5m2: Uint8Array;
}
export type TensorData = ArrayOf[DType];

const BYTES: Readonly<Record<DType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float64: 8,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  bool: 1,
  float8e4m3fn: 1,
  float8e5m2: 1,
};

/** Bytes of one element. */
export function bytesOf(dtype: DType): number {
  return BYTES[dtype];
}

const ALLOCATE: { readonly [D in DType]: (buffer: ArrayBufferLike, byteOffset: number, length: number) => ArrayOf[D] } = {
  float32: (b, o, n) => new Float32Array(b, o, n),
  float16: (b, o, n) => new Uint16Array(b, o, n),
  bfloat16: (b, o, n) => new Uint16Array(b, o, n),
  float64: (b, o, n) => new Float64Array(b, o, n),
  int8: (b, o, n) => new Int8Array(b, o, n),
  uint8: (b, o, n) => new Uint8Array(b, o, n),
  int16: (b, o, n) => new Int16Array(b, o, n),
  uint16: (b, o, n) => new Uint16Array(b, o, n),
  int32: (b, o, n) => new Int32Array(b, o, n),
  uint32: (b, o, n) => new Uint32Array(b, o, n),
  int64: (b, o, n) => new BigInt64Array(b, o, n),
  bool: (b, o, n) => new Uint8Array(b, o, n),
  float8e4m3fn: (b, o, n) => new Uint8Array(b, o, n),
  float8e5m2: (b, o, n) => new Uint8Array(b, o, n),
};

/** A typed-array view of `length` elements; `byteOffset` must be a multiple of the element size. */
export function viewAs<D extends DType>(dtype: D, buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayOf[D] {
  return ALLOCATE[dtype](buffer, byteOffset, length);
}

/** The bytes in an array of their own. `slice()` does not do that: a Node Buffer's is a view into its pool. */
export function copyOfBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** A zeroed array of `length` elements. */
export function zeros<D extends DType>(dtype: D, length: number): ArrayOf[D] {
  return viewAs(dtype, new ArrayBuffer(length * BYTES[dtype]), 0, length);
}

/** dtypes that exist only inside a session: fed and fetched as float32, the Cast behind them becoming a no-op. */
export function isNarrow(dtype: DType): boolean {
  return dtype === "bfloat16" || dtype.startsWith("float8");
}

/** True for the dtypes gradients may flow through. */
export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float16" || dtype === "bfloat16" || dtype === "float64";
}
