import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { FACE_ENCODER } from "../shared/contracts/sockets.ts";
import { DLIB_FILE } from "./embedded-files.ts";

export default declareNode({
  type: "FaceEncoderLoader",
  version: "1.1.0",
  category: "faces",
  summary: "Opens a face encoder: one of the two embedded ones, or an .onnx file: ArcFace (112 px, cosine) or OpenCV's SFace.",
  inputs: {
    encoder_name: widget(z.string().min(1).default(DLIB_FILE), {
      tooltip:
        "dlib128.safetensors, faceres1024.safetensors (independent of it: evaluate with the one you did not train on), or an ArcFace or SFace .onnx file below the faces model folder. For other encoders use FaceEncoderOnnx.",
      file: { kind: "model", folder: "faces" },
    }),
  },
  outputs: { FACE_ENCODER },
  cache: "pure",
  isCheap: true,
});
