import { z } from "zod";
import { defineNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Face } from "../shared/contracts/data.ts";
import { FACE_DETECTOR, FACES, IMAGE } from "../shared/contracts/sockets.ts";
import { batchOf, pictureOf } from "../shared/pictures/picture.ts";
import { loadBlazeFaceDetector } from "./blazeface-detector.ts";

export default defineNode({
  type: "FaceDetect",
  version: "1.0.0",
  category: "faces",
  summary: "Finds the faces of each picture, left to right. Uses the embedded detector when none is connected.",
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
  async run({ image, detector, min_score, max_faces, min_size }, ctx) {
    const used = detector ?? (await loadBlazeFaceDetector(ctx.models));
    const faces: (readonly Face[])[] = [];
    for (let i = 0; i < batchOf(image); i++) {
      ctx.signal.throwIfAborted();
      const { data, height, width } = pictureOf(image, i);
      const options = { minScore: min_score, maxFaces: max_faces, minSize: min_size };
      const found = await used.detect(ctx.compute, f32([1, height, width, 3], data), options);
      if (found.length === 0) {
        const which = batchOf(image) === 1 ? "the picture" : `picture ${i + 1} of ${batchOf(image)}`;
        ctx.log("warn", `no face found in ${which}, ${width} × ${height} pixels`, "image");
      }
      faces.push(found);
      ctx.progress(i + 1, batchOf(image));
    }
    return { FACES: { images: image, faces } };
  },
});
