import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import type { Tensor } from "../../engine/tensor/tensor.ts";
import declaration from "./apply-onnx.node.ts";
import { describeOnnx } from "./onnx-model.ts";

function isTensor(x: unknown): x is Tensor {
  return typeof x === "object" && x !== null && "dtype" in x && "shape" in x && "data" in x;
}

export default implementNode(declaration, {
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
