import { socket } from "../../engine/node/socket.ts";
import type { Tensor } from "../../engine/tensor/tensor.ts";
import type { OnnxModel } from "./onnx-model.ts";

export const ONNX_MODEL = socket<OnnxModel>("ONNX_MODEL");
/** Any tensor. Pictures and masks are tensors too. */
export const TENSOR = socket<Tensor>("TENSOR");
