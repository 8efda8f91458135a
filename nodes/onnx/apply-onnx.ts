import { AppError } from "../../engine/base/errors.ts";
import { defineNode, input } from "../../engine/node/define-node.ts";
import { socket } from "../../engine/node/socket.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import type { Tensor } from "../../engine/tensor/tensor.ts";
import { describeOnnx, ONNX_MODEL } from "./onnx-model.ts";

/** Any tensor. Pictures and masks are tensors too. */
export const TENSOR = socket<Tensor>("TENSOR");
/** output_2 to output_15: there where the model has as many. */
const MORE = Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`output_${i + 2}`, socket<Tensor | undefined>("TENSOR")]));
const ANY_TENSOR = socket<Tensor>("TENSOR,IMAGE,MASK");

function isTensor(x: unknown): x is Tensor {
  return typeof x === "object" && x !== null && "dtype" in x && "shape" in x && "data" in x;
}

export default defineNode({
  type: "ApplyOnnx",
  version: "1.1.0",
  category: "onnx",
  summary: "Runs an ONNX model: input_1, input_2 … and output_1 … are its inputs and outputs in the order LoadOnnx lists them.",
  inputs: { model: input(ONNX_MODEL) },
  outputs: { output_1: TENSOR, ...MORE },
  cache: "pure",
  variadic: { prefix: "input_", socket: ANY_TENSOR },
  async run({ model }, ctx, extra) {
    const b = newBuilder();
    const feeds: Record<string, Tensor> = {};
    const values = Object.fromEntries(
      model.inputs.map((port, i) => {
        const given = extra[`input_${i + 1}`];
        if (!isTensor(given))
          throw new AppError("ONNX_INPUT", `input_${i + 1} (${port.name}) of ${model.name} is not connected`, {
            hint: describeOnnx(model),
          });
        feeds[port.name] = given;
        return [port.name, b.input(port.name, given.dtype, given.shape)];
      }),
    );
    const results = await ctx.compute.run(b.graph(model.build(b, values)), feeds);
    const [output_1, ...more] = model.outputs.flatMap((o) => results[o.name] ?? []);
    if (!output_1) throw new AppError("ONNX_OUTPUT", `${model.name} gave nothing`);
    return { output_1, ...Object.fromEntries(more.map((t, i) => [`output_${i + 2}`, t])) };
  },
});
