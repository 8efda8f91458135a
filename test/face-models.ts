// The model folder of this checkout, as a node sees it. For tests of nodes that use the embedded face models.
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { AppError } from "../engine/base/errors.ts";
import type { Models, WeightEntry } from "../engine/node/context.ts";
import { zerosTensor } from "../engine/tensor/tensor.ts";

const Header = z.record(
  z.string(),
  z.union([
    z.object({ dtype: z.enum(["F32", "U8"]), shape: z.array(z.number()), data_offsets: z.tuple([z.number(), z.number()]) }),
    z.record(z.string(), z.string()),
  ]),
);
const models = join(import.meta.dirname, "../models");

export const faceModels: Models = {
  list: async (folder) => readdirSync(join(models, folder)),
  async open(folder, name) {
    const path = join(models, folder, name);
    const file = openSync(path, "r");
    try {
      const start = Buffer.alloc(8);
      readSync(file, start, 0, 8, 0);
      const length = Number(start.readBigUInt64LE());
      const json = Buffer.alloc(length);
      readSync(file, json, 0, length, 8);
      const tensors = new Map<string, WeightEntry>();
      let metadata: Readonly<Record<string, string>> = {};
      for (const [key, value] of Object.entries(Header.parse(JSON.parse(json.toString())))) {
        if (key === "__metadata__") metadata = z.record(z.string(), z.string()).parse(value);
        else if (Array.isArray(value.data_offsets) && Array.isArray(value.shape)) {
          const [from, to] = value.data_offsets;
          const source = { kind: "file", path, offset: 8 + length + from, length: to - from } as const;
          tensors.set(key, { name: key, dtype: value.dtype === "U8" ? "uint8" : "float32", shape: value.shape, source });
        }
      }
      const fingerprint = `${name}:${fstatSync(file).size}`;
      const unused = (): never => {
        throw new AppError("TEST", "not part of this double");
      };
      return { name, fingerprint, tensors, metadata, text: async () => undefined, read: unused, readRows: unused };
    } finally {
      closeSync(file);
    }
  },
  async bytes(folder, name) {
    const path = join(models, folder, name);
    return { bytes: readFileSync(path), path, fingerprint: name };
  },
};

/** A picture of zeros. */
export function black(height: number, width: number): ReturnType<typeof zerosTensor<"float32">> {
  return zerosTensor("float32", [1, height, width, 3]);
}
