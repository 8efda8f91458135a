import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { FACE_DETECTOR } from "../shared/contracts/sockets.ts";
import { BLAZEFACE_FILE } from "./embedded-files.ts";

export default declareNode({
  type: "FaceDetectorLoader",
  version: "1.1.0",
  category: "faces",
  summary: "Opens a face detector: the embedded one, or an .onnx file: SCRFD, YuNet or RetinaFace.",
  inputs: {
    detector_name: widget(z.string().min(1).default(BLAZEFACE_FILE), {
      tooltip:
        "blazeface.safetensors, or an .onnx file below the faces model folder: InsightFace's SCRFD, OpenCV's YuNet (of 2023), or RetinaFace (of Pytorch_Retinaface).",
      file: { kind: "model", folder: "faces" },
    }),
    input_size: widget(z.int().min(128).max(2048).multipleOf(32).default(640), {
      tooltip: "Side of the square an .onnx detector looks at. Larger finds smaller faces; ignored when the file fixes it.",
      step: 32,
    }),
  },
  outputs: { FACE_DETECTOR },
  cache: "pure",
  isCheap: true,
});
