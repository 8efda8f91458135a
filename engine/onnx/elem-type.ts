import type { DType } from "../tensor/dtype.ts";

/** TensorProto.DataType of onnx.proto3. */
export const ELEM_TYPE: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e5m2: 19,
};
