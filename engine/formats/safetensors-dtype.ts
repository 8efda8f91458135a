import { AppError } from "../base/errors.ts";
import type { DType } from "../tensor/dtype.ts";

const DTYPE_OF: ReadonlyMap<string, DType> = new Map<string, DType>([
  ["F64", "float64"],
  ["F32", "float32"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["I64", "int64"],
  ["I32", "int32"],
  ["I16", "int16"],
  ["I8", "int8"],
  ["U32", "uint32"],
  ["U16", "uint16"],
  ["U8", "uint8"],
  ["BOOL", "bool"],
  ["F8_E4M3", "float8e4m3fn"],
  ["F8_E5M2", "float8e5m2"],
]);
const NAME_OF: ReadonlyMap<DType, string> = new Map([...DTYPE_OF].map(([name, dtype]) => [dtype, name]));

/** Names the format defines that this engine has no type for. */
const UNSUPPORTED: ReadonlySet<string> = new Set(["U64", "C64", "F4", "F6_E2M3", "F6_E3M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"]);

/**
 * The dtype a safetensors header names.
 * @throws AppError FILE_SAFETENSORS_DTYPE for a name the format does not define, FILE_SAFETENSORS_DTYPE_UNSUPPORTED for one this engine cannot hold.
 */
export function dtypeOfSafetensors(name: string, tensor: string): DType {
  const dtype = DTYPE_OF.get(name);
  if (dtype) return dtype;
  const shown = JSON.stringify(name.slice(0, 40));
  if (UNSUPPORTED.has(name))
    throw new AppError("FILE_SAFETENSORS_DTYPE_UNSUPPORTED", `tensor ${tensor} is of type ${shown}, which this engine does not read`, {
      hint: "use a copy of the file in float32, bfloat16, float16 or fp8",
    });
  throw new AppError("FILE_SAFETENSORS_DTYPE", `tensor ${tensor} has the unknown type ${shown}`, {
    hint: `known types: ${[...DTYPE_OF.keys()].join(", ")}`,
  });
}

/** The name a safetensors header uses for a dtype. */
export function safetensorsNameOf(dtype: DType): string {
  return NAME_OF.get(dtype) ?? dtype;
}
