import { AppError } from "../../engine/base/errors.ts";
import { writeSafetensors } from "../../engine/formats/safetensors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { Tensor } from "../../engine/tensor/tensor.ts";
import declaration from "./save-tensors.node.ts";

export default implementNode(declaration, {
  async run({ filename_prefix }, ctx, extra) {
    const tensors = new Map<string, Tensor>();
    for (const [name, value] of Object.entries(extra)) collect(value, name, tensors, 0);
    if (tensors.size === 0)
      throw new AppError("SAVE_TENSORS", "nothing that is connected holds a tensor", {
        hint: "connect a LATENT, CONDITIONING, EMBEDDINGS, IMAGE …",
      });
    const file = await ctx.save(filename_prefix, "safetensors", writeSafetensors(tensors, { format: "whos-who.tensors" }));
    ctx.log("info", `${file.filename}: ${[...tensors].map(([name, t]) => `${name} ${t.dtype} [${t.shape}]`).join(", ")}`);
    return {};
  },
});

/** Deepest nesting that is searched: a MATCHES holds a SIMILARITY, which holds EMBEDDINGS, which hold FACES and their picture. */
const DEPTH = 6;

/** Puts every tensor of a plain value under its path: `value_1.referenceLatents.0`. */
function collect(value: unknown, path: string, into: Map<string, Tensor>, depth: number): void {
  if (isTensor(value)) into.set(path, value);
  else if (Array.isArray(value) && depth < DEPTH) for (const [i, entry] of value.entries()) collect(entry, `${path}.${i}`, into, depth + 1);
  else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value) && depth < DEPTH)
    for (const [key, entry] of Object.entries(value)) collect(entry, `${path}.${key}`, into, depth + 1);
}

function isTensor(value: unknown): value is Tensor {
  return (
    typeof value === "object" && value !== null && "dtype" in value && "shape" in value && "data" in value && ArrayBuffer.isView(value.data)
  );
}
