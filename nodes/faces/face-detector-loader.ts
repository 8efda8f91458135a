import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { loadBlazeFaceDetector } from "./blazeface-detector.ts";
import { BLAZEFACE_FILE } from "./embedded-files.ts";
import declaration from "./face-detector-loader.node.ts";
import { loadOnnxDetector } from "./onnx-detector.ts";

export default implementNode(declaration, {
  async run({ detector_name, input_size }, ctx) {
    if (detector_name === BLAZEFACE_FILE) return { FACE_DETECTOR: await loadBlazeFaceDetector(ctx.models) };
    if (!detector_name.toLowerCase().endsWith(".onnx"))
      throw new AppError("FACE_DETECTOR_FORMAT", `${detector_name} is not a face detector`, {
        hint: `choose ${BLAZEFACE_FILE}, or an SCRFD, YuNet or RetinaFace .onnx file`,
      });
    return { FACE_DETECTOR: await loadOnnxDetector(ctx.models, detector_name, input_size) };
  },
});
