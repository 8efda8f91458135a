import { AppError } from "../base/errors.ts";
import { type ArrayOf, type DType, type TensorData, zeros } from "./dtype.ts";
import { type Shape, sizeOf } from "./shape.ts";

/** A dense row-major tensor in host memory. `data.length` equals the product of `shape`. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: Shape;
  readonly data: ArrayOf[D];
}

/** Makes a tensor over existing data. @throws AppError TENSOR_SHAPE when the length does not fit the shape. */
export function tensor<D extends DType>(dtype: D, shape: Shape, data: ArrayOf[D]): Tensor<D> {
  if (data.length !== sizeOf(shape))
    throw new AppError("TENSOR_SHAPE", `a ${dtype} tensor of shape [${shape}] needs ${sizeOf(shape)} elements, got ${data.length}`);
  return { dtype, shape, data };
}

/** A float32 tensor from numbers. */
export function f32(shape: Shape, values: ArrayLike<number>): Tensor<"float32"> {
  return tensor("float32", shape, values instanceof Float32Array ? values : Float32Array.from(values));
}

/** A zeroed tensor. */
export function zerosTensor<D extends DType>(dtype: D, shape: Shape): Tensor<D> {
  return { dtype, shape, data: zeros(dtype, sizeOf(shape)) };
}

/** Narrows a tensor to one dtype. @throws AppError TENSOR_DTYPE */
export function expectDType<D extends DType>(t: Tensor, dtype: D, what: string): ArrayOf[D] {
  if (!hasDType(t, dtype)) throw new AppError("TENSOR_DTYPE", `${what} must be ${dtype}, got ${t.dtype}`);
  return t.data;
}

/** Type guard: the tensor has this dtype. */
export function hasDType<D extends DType>(t: Tensor, dtype: D): t is Tensor<D> {
  return t.dtype === dtype;
}

/** The bytes of a tensor, without copying. */
export function bytesOfTensor(t: { readonly data: TensorData }): Uint8Array {
  return new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);
}
