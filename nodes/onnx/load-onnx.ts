import { z } from "zod";
import { defineNode, widget } from "../../engine/node/define-node.ts";
import { STRING } from "../shared/contracts/sockets.ts";
import { describeOnnx, ONNX_MODEL, openOnnxModel } from "./onnx-model.ts";

export default defineNode({
  type: "LoadOnnx",
  version: "1.0.0",
  category: "onnx",
  summary: "Loads any ONNX model as a differentiable module; unsupported operators are listed by name before anything runs.",
  inputs: {
    onnx_name: widget(z.string().min(1), {
      tooltip: "An .onnx file below the onnx model folder",
      file: { kind: "model", folder: "onnx" },
    }),
  },
  outputs: { ONNX_MODEL, sockets: STRING },
  cache: "pure",
  isCheap: true,
  async run({ onnx_name }, ctx) {
    const model = await openOnnxModel(ctx.models, onnx_name);
    const sockets = describeOnnx(model);
    ctx.log("info", `${onnx_name}\n${sockets}`);
    return { ONNX_MODEL: model, sockets };
  },
});
