// Weights that the device cannot map straight out of the user's file.
import { closeSync, openSync, readSync, realpathSync } from "node:fs";
import { AppError } from "../base/errors.ts";
import { nameOf } from "../ir/graph.ts";
import type { Value } from "../ir/value.ts";
import { unpackBlocks } from "../tensor/blocks.ts";
import { toFloat32 } from "../tensor/convert.ts";
import { isNarrow, viewAs } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import { f32, type Tensor, tensor } from "../tensor/tensor.ts";
import { expectStamp, fileStamp, type Stamps } from "./file-stamps.ts";

/** A tensor of a narrow dtype as float32; others as they are. */
export function widen(t: Tensor): Tensor {
  return isNarrow(t.dtype) ? tensor("float32", t.shape, toFloat32(t)) : t;
}

/**
 * The numbers of a weight in host memory, in their stored dtype.
 * @param stamps of its file; without them any version will do. @throws AppError ORT_WEIGHT
 */
export function readWeight(v: Value, stamps?: Stamps): Tensor {
  if (v.def.kind !== "weight") throw new AppError("ORT_WEIGHT", `value ${v.id} is no weight`);
  if (v.def.source.kind === "host") return v.def.source.tensor;
  const { path, offset, length, packing } = v.def.source;
  const bytes = new Uint8Array(length);
  const fd = openSync(path, "r");
  try {
    if (stamps) expectStamp(path, fileStamp(fd), stamps);
    for (let done = 0; done < length; ) {
      const n = readSync(fd, bytes, done, length - done, offset + done);
      if (n === 0)
        throw new AppError("ORT_WEIGHT", `${path} ends before weight ${nameOf(v)}`, {
          hint: "the file changed or is truncated: load it again",
        });
      done += n;
    }
  } finally {
    closeSync(fd);
  }
  if (packing !== undefined) return f32(v.shape, unpackBlocks(packing, bytes));
  return tensor(v.dtype, v.shape, viewAs(v.dtype, bytes.buffer, 0, sizeOf(v.shape)));
}

/** External data must not be reached through a symbolic link, and packed weights cannot be mapped: both are read instead. */
export function unmappable(v: Value, stamps: Stamps): Tensor | undefined {
  if (v.def.kind !== "weight" || v.def.source.kind !== "file") return undefined;
  const { path, packing } = v.def.source;
  return packing === undefined && realpathSync(path) === path ? undefined : readWeight(v, stamps);
}
