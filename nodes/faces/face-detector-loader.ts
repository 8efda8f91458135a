import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { defineNode, widget } from "../../engine/node/define-node.ts";
import { FACE_DETECTOR } from "../shared/contracts/sockets.ts";
import { BLAZEFACE_FILE, loadBlazeFaceDetector } from "./blazeface-detector.ts";
import { loadScrfdDetector } from "./scrfd-detector.ts";

export default defineNode({
  type: "FaceDetectorLoader",
  version: "1.0.0",
  category: "faces",
  summary: "Opens a face detector: the embedded one, or an InsightFace SCRFD model.",
  inputs: {
    detector_name: widget(z.string().min(1).default(BLAZEFACE_FILE), {
      tooltip: "blazeface.safetensors, or an SCRFD .onnx file (3 strides, with or without keypoints) below the faces model folder.",
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
  async run({ detector_name, input_size }, ctx) {
    if (detector_name === BLAZEFACE_FILE) return { FACE_DETECTOR: await loadBlazeFaceDetector(ctx.models) };
    if (!detector_name.toLowerCase().endsWith(".onnx"))
      throw new AppError("FACE_DETECTOR_FORMAT", `${detector_name} is not a face detector`, {
        hint: `choose ${BLAZEFACE_FILE} or an SCRFD .onnx file`,
      });
    return { FACE_DETECTOR: await loadScrfdDetector(ctx.models, detector_name, input_size) };
  },
});
