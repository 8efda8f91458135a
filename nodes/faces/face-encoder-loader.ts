import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { loadDlibEncoder } from "./dlib-encoder.ts";
import { DLIB_FILE } from "./embedded-files.ts";
import declaration from "./face-encoder-loader.node.ts";
import { FACERES_FILE, loadFaceResEncoder } from "./faceres-encoder.ts";
import { loadOnnxEncoder } from "./onnx-encoder.ts";

export default implementNode(declaration, {
  async run({ encoder_name }, ctx) {
    if (encoder_name === DLIB_FILE) return { FACE_ENCODER: await loadDlibEncoder(ctx.models) };
    if (encoder_name === FACERES_FILE) return { FACE_ENCODER: await loadFaceResEncoder(ctx.models) };
    if (!encoder_name.toLowerCase().endsWith(".onnx"))
      throw new AppError("FACE_ENCODER_FORMAT", `${encoder_name} is not a face encoder`, {
        hint: `choose ${DLIB_FILE}, ${FACERES_FILE} or an ArcFace or SFace .onnx file`,
      });
    return { FACE_ENCODER: await loadOnnxEncoder(ctx.models, encoder_name) };
  },
});
