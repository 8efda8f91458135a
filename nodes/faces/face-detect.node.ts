import { z } from "zod";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { FACE_DETECTOR, FACES, IMAGE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "FaceDetect",
  version: "1.1.0",
  category: "faces",
  summary: "Finds the faces of each picture, left to right, and shows them. Uses the embedded detector when none is connected.",
  inputs: {
    image: input(IMAGE),
    detector: optional(FACE_DETECTOR),
    min_score: widget(z.number().min(0.05).max(1).default(0.5), { tooltip: "Smallest confidence of the detector.", step: 0.05 }),
    max_faces: widget(z.int().min(0).max(256).default(0), { tooltip: "Keeps the largest faces of each picture; 0 = all." }),
    min_size: widget(z.int().min(0).max(4096).default(0), {
      tooltip: "Smallest face, in pixels of its longer side; large values search faster.",
    }),
  },
  outputs: { FACES },
  cache: "pure",
});
