import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { parseJson } from "../../engine/base/json.ts";
import type { Models } from "../../engine/node/context.ts";
import { openOnnxModel } from "./onnx-model.ts";

interface Port {
  readonly name: string;
  readonly dtype: string;
  readonly shape: (number | string)[];
}

const LIMITS = { maxCharacters: 2 ** 24, maxDepth: 32 };

/** @throws AppError MODEL_FORMAT */
function textsOf(bytes: Uint8Array, name: string): Record<string, string> {
  try {
    const top = z.record(z.string(), z.unknown()).parse(parseJson(new TextDecoder().decode(bytes), LIMITS));
    return Object.fromEntries(Object.entries(top).flatMap(([key, value]) => (typeof value === "string" ? [[key, value]] : [])));
  } catch (cause) {
    throw new AppError("MODEL_FORMAT", `${name} is no JSON object`, { hint: "the file is damaged, or of another kind: replace it", cause });
  }
}

/** What a model file says about itself, without loading its weights. @throws AppError MODEL_NOT_FOUND, ONNX_*, FILE_* */
export async function describeModel(
  models: Models,
  folder: string,
  name: string,
): Promise<{
  readonly format: "safetensors" | "gguf" | "onnx" | "json";
  readonly metadata: Record<string, string>;
  readonly parameters: number;
  readonly inputs: Port[];
  readonly outputs: Port[];
}> {
  if (name.endsWith(".onnx")) {
    const { inputs, outputs } = await openOnnxModel(models, name);
    const port = (p: { readonly name: string; readonly dtype: string; readonly shape: readonly (number | string)[] }): Port => ({
      name: p.name,
      dtype: p.dtype,
      shape: p.shape.map((d) => (d === -1 ? "?" : d)),
    });
    return { format: "onnx", metadata: {}, parameters: 0, inputs: inputs.map(port), outputs: outputs.map(port) };
  }
  if (name.endsWith(".json"))
    return { format: "json", metadata: textsOf((await models.bytes(folder, name)).bytes, name), parameters: 0, inputs: [], outputs: [] };
  const { metadata, tensors } = await models.open(folder, name);
  const parameters = [...tensors.values()].reduce((sum, t) => sum + t.shape.reduce((a, d) => a * d, 1), 0);
  return { format: /\.gguf$/i.test(name) ? "gguf" : "safetensors", metadata: { ...metadata }, parameters, inputs: [], outputs: [] };
}
