import { declareNode, input } from "../../engine/node/define-node.ts";
import { socket } from "../../engine/node/socket.ts";
import type { Tensor } from "../../engine/tensor/tensor.ts";
import { ONNX_MODEL, TENSOR } from "./onnx-sockets.ts";

/** output_2 to output_15, used when the model has that many. */
const MORE = Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`output_${i + 2}`, socket<Tensor | undefined>("TENSOR")]));
const ANY_TENSOR = socket<Tensor>("TENSOR,IMAGE,MASK");

export default declareNode({
  type: "ApplyOnnx",
  version: "1.1.0",
  category: "onnx",
  summary: "Runs an ONNX model: input_1, input_2 … and output_1 … are its inputs and outputs in the order LoadOnnx lists them.",
  inputs: { model: input(ONNX_MODEL) },
  outputs: { output_1: TENSOR, ...MORE },
  cache: "pure",
  variadic: { prefix: "input_", socket: ANY_TENSOR },
});
