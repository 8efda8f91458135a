// The model folder of this checkout, for tests of nodes that use the embedded face models.
import { join } from "node:path";
import type { Models } from "../engine/node/context.ts";
import { ModelFolders } from "../engine/store/model-folders.ts";
import { zerosTensor } from "../engine/tensor/tensor.ts";

const folders = new ModelFolders({ roots: [join(import.meta.dirname, "../models")] });

/** Bound methods, so that a test may spread it and replace some. */
export const faceModels: Models = {
  list: (folder) => folders.list(folder),
  open: (folder, name) => folders.open(folder, name),
  bytes: (folder, name) => folders.bytes(folder, name),
  findExternal: (folder, name, files) => folders.findExternal(folder, name, files),
};

/** A picture of zeros. */
export function black(height: number, width: number): ReturnType<typeof zerosTensor<"float32">> {
  return zerosTensor("float32", [1, height, width, 3]);
}
