import { expect, test } from "vitest";
import { bytesOf, DTYPES } from "../tensor/dtype.ts";
import { dtypeOfSafetensors, safetensorsNameOf } from "./safetensors-dtype.ts";

test("every type that can be held has the format's name, whose number is its width", () => {
  expect(DTYPES.map((dtype) => [dtype, safetensorsNameOf(dtype)])).toEqual([
    ["float32", "F32"],
    ["float16", "F16"],
    ["bfloat16", "BF16"],
    ["float64", "F64"],
    ["int8", "I8"],
    ["uint8", "U8"],
    ["int16", "I16"],
    ["uint16", "U16"],
    ["int32", "I32"],
    ["uint32", "U32"],
    ["int64", "I64"],
    ["bool", "BOOL"],
    ["float8e4m3fn", "F8_E4M3"],
    ["float8e5m2", "F8_E5M2"],
  ]);
  for (const dtype of DTYPES) {
    const name = safetensorsNameOf(dtype);
    expect(dtypeOfSafetensors(name, "t")).toBe(dtype);
    expect(bytesOf(dtype), name).toBe(Number(/\d+/.exec(name)?.[0] ?? 8) / 8);
  }
});

test("a type that the format has and this engine lacks, and one that no one has, are told apart", () => {
  for (const name of ["U64", "C64", "F4", "F6_E2M3", "F6_E3M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"])
    expect(() => dtypeOfSafetensors(name, "w")).toThrow(
      expect.objectContaining({ code: "FILE_SAFETENSORS_DTYPE_UNSUPPORTED", message: expect.stringContaining(`"${name}"`) }),
    );
  for (const name of ["f32", "F31", "", "x".repeat(1000)])
    expect(() => dtypeOfSafetensors(name, "w")).toThrow(
      expect.objectContaining({ code: "FILE_SAFETENSORS_DTYPE", message: `tensor w has the unknown type "${name.slice(0, 40)}"` }),
    );
});
