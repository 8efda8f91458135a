// NaN and Inf: a picture made of them is black, so they are an error where they first appear.
import { AppError } from "../../engine/base/errors.ts";
import type { WeightFile } from "../../engine/node/context.ts";
import { toFloat32 } from "../../engine/tensor/convert.ts";
import { isFloat } from "../../engine/tensor/dtype.ts";

/** Whether every number is finite. */
export function allFinite(data: Float32Array): boolean {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return false;
  return true;
}

/** The first element that is not finite, such as `NaN at 3`; undefined when all are. */
export function notFinite(data: ArrayLike<number>): string | undefined {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return `${data[i]} at ${i}`;
  return undefined;
}

/** The error for a file whose weights hold NaN or Inf. */
export function weightsNotFinite(file: string, tensor: string): AppError {
  return new AppError("MODEL_NOT_FINITE", `${file}: ${tensor} holds NaN or Inf`, {
    hint: "the file is damaged: download it again, or save it again",
  });
}

/**
 * Reads a file from end to end for the first tensor with NaN or Inf: takes as long as reading the file. Used to find the cause
 * after something went wrong.
 */
export async function findNotFinite(file: WeightFile): Promise<string | undefined> {
  for (const [name, { dtype }] of file.tensors)
    if ((isFloat(dtype) || dtype.startsWith("float8")) && !allFinite(toFloat32(await file.read(name)))) return name;
  return undefined;
}
