import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { defineNode, widget } from "../../engine/node/define-node.ts";
import { FACE_ENCODER } from "../shared/contracts/sockets.ts";
import { DLIB_FILE, loadDlibEncoder } from "./dlib-encoder.ts";
import { FACERES_FILE, loadFaceResEncoder } from "./faceres-encoder.ts";
import { loadOnnxEncoder } from "./onnx-encoder.ts";

export default defineNode({
  type: "FaceEncoderLoader",
  version: "1.0.0",
  category: "faces",
  summary: "Opens a face encoder: one of the two embedded ones, or an ArcFace model (112 px, cosine).",
  inputs: {
    encoder_name: widget(z.string().min(1).default(DLIB_FILE), {
      tooltip:
        "dlib128.safetensors, faceres1024.safetensors (independent of it: evaluate with the one you did not train on), or an ArcFace .onnx file below the faces model folder. For other encoders use FaceEncoderOnnx.",
      file: { kind: "model", folder: "faces" },
    }),
  },
  outputs: { FACE_ENCODER },
  cache: "pure",
  isCheap: true,
  async run({ encoder_name }, ctx) {
    if (encoder_name === DLIB_FILE) return { FACE_ENCODER: await loadDlibEncoder(ctx.models) };
    if (encoder_name === FACERES_FILE) return { FACE_ENCODER: await loadFaceResEncoder(ctx.models) };
    if (!encoder_name.toLowerCase().endsWith(".onnx"))
      throw new AppError("FACE_ENCODER_FORMAT", `${encoder_name} is not a face encoder`, {
        hint: `choose ${DLIB_FILE}, ${FACERES_FILE} or an ArcFace .onnx file`,
      });
    return { FACE_ENCODER: await loadOnnxEncoder(ctx.models, encoder_name) };
  },
});
