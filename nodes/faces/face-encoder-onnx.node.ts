import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { FACE_ENCODER } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "FaceEncoderOnnx",
  version: "1.1.0",
  category: "faces",
  summary: "Opens any face encoder in an .onnx file, with its preprocessing and the way its vectors compare.",
  inputs: {
    encoder_name: widget(z.string().min(1), {
      tooltip: "An .onnx file below the faces model folder.",
      file: { kind: "model", folder: "faces" },
    }),
    size: widget(z.int().min(0).max(1024).default(0), { tooltip: "Side of the crops in pixels; 0 = what the file says, or 112." }),
    mean: widget(z.number().min(-1000).max(1000).default(127.5), { tooltip: "Subtracted from colours of 0..255.", step: 0.5 }),
    std: widget(z.number().gt(0).max(1000).default(127.5), { tooltip: "Divides colours of 0..255 after the mean.", step: 0.5 }),
    color: widget(z.enum(["RGB", "BGR"]).default("RGB"), { tooltip: "Channel order the encoder was trained with." }),
    template: widget(z.enum(["arcface", "dlib"]).default("arcface"), {
      tooltip: "Where eyes, nose and mouth belong in the crop: InsightFace's five points, or dlib's mean face.",
    }),
    comparison: widget(z.enum(["cosine", "l2"]).default("cosine"), { tooltip: "How two vectors of this encoder are compared." }),
    threshold: widget(z.number().min(-1).max(100).default(0.35), {
      tooltip: "The same person above this cosine, or below this distance.",
      step: 0.01,
    }),
    min_dim: widget(z.int().min(1).max(65_536).default(32), {
      tooltip: "Refuse vectors with fewer numbers: a file that gives four is a box, not a face.",
    }),
  },
  outputs: { FACE_ENCODER },
  cache: "pure",
});
