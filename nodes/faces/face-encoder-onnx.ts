import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./face-encoder-onnx.node.ts";
import { loadOnnxEncoder } from "./onnx-encoder.ts";

export default implementNode(declaration, {
  async run({ encoder_name, min_dim, ...options }, ctx) {
    const encoder = await loadOnnxEncoder(ctx.models, encoder_name, {
      ...options,
      minDim: min_dim,
      warn: (message) => ctx.log("warn", message),
    });
    return { FACE_ENCODER: encoder };
  },
});
