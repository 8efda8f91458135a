import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { STRING } from "../shared/contracts/sockets.ts";
import { ONNX_MODEL } from "./onnx-sockets.ts";

export default declareNode({
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
});
