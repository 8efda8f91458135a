// A user's ONNX model as a differentiable module: what the ONNX_MODEL socket carries.

import type { Models } from "../../engine/node/context.ts";
import { holding } from "../../engine/node/holding.ts";
import { importOnnx, type OnnxModule } from "../../engine/onnx/import.ts";

export interface OnnxModel extends Pick<OnnxModule, "inputs" | "outputs" | "build"> {
  readonly id: string;
  readonly name: string;
}

/**
 * Opens a file of the model folder `onnx`. Operators without a rule are refused here, all by name, before anything runs.
 * External data must lie in files beside it; links to them are followed.
 * @throws AppError ONNX_*, MODEL_NOT_FOUND, MODEL_EXTERNAL
 */
export async function openOnnxModel(models: Models, name: string): Promise<OnnxModel> {
  const { bytes, path, fingerprint } = await models.bytes("onnx", name);
  const plain = importOnnx(bytes, { path });
  const external = plain.externalFiles.length > 0 ? await models.findExternal("onnx", name, plain.externalFiles) : undefined;
  const { inputs, outputs, build } = external ? importOnnx(bytes, { path, external: external.paths }) : plain;
  return holding({ id: `onnx:${fingerprint}${external ? `:${external.identity}` : ""}`, name, inputs, outputs, build }, bytes);
}

/** One line per input and output, as a person reads them. */
export function describeOnnx({ inputs, outputs }: Pick<OnnxModel, "inputs" | "outputs">): string {
  const line = (what: string, p: { readonly name: string; readonly dtype: string; readonly shape: readonly (number | string)[] }) =>
    `${what} ${p.name}: ${p.dtype} [${p.shape.map((d) => (d === -1 ? "?" : d)).join(", ")}]`;
  return [...inputs.map((p) => line("input", p)), ...outputs.map((p) => line("output", p))].join("\n");
}
