import type { Models } from "../../engine/node/context.ts";
import { openOnnxModel } from "./onnx-model.ts";

interface Port {
  readonly name: string;
  readonly dtype: string;
  readonly shape: (number | string)[];
}

/** What a model file says about itself, without loading its weights. @throws AppError MODEL_NOT_FOUND, ONNX_*, FILE_* */
export async function describeModel(
  models: Models,
  folder: string,
  name: string,
): Promise<{
  readonly format: "safetensors" | "onnx";
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
  const { metadata, tensors } = await models.open(folder, name);
  const parameters = [...tensors.values()].reduce((sum, t) => sum + t.shape.reduce((a, d) => a * d, 1), 0);
  return { format: "safetensors", metadata: { ...metadata }, parameters, inputs: [], outputs: [] };
}
