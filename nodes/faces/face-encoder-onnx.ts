import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./face-encoder-onnx.node.ts";
import { loadOnnxEncoder } from "./onnx-encoder.ts";

export default implementNode(declaration, {
  async run({ encoder_name, ...options }, ctx) {
    return { FACE_ENCODER: await loadOnnxEncoder(ctx.models, encoder_name, options) };
  },
});
