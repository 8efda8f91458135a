import { z } from "zod";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { FACE_DETECTOR, IMAGE, METRICS, REWARD } from "../shared/contracts/sockets.ts";
import { outputName } from "../shared/output-name.ts";
import { REALISM_BANDS } from "./sockets.ts";

export default declareNode({
  type: "RealismReport",
  version: "1.0.0",
  category: "realism",
  summary:
    "How real the faces of a picture look: every low-level statistic against its band, the share of real faces beyond it, the scorer's value, and where the gradient asks for change.",
  inputs: {
    image: input(IMAGE, "The first picture of a batch."),
    face_detector: input(FACE_DETECTOR),
    bands: input(REALISM_BANDS, "What the statistics are in real pictures of this kind."),
    scorer: optional(REWARD, "A learned scorer, such as RealismReward: its value and its gradient are reported too."),
    min_size: widget(z.number().int().min(24).max(4096).default(64), { tooltip: "Faces smaller than this are passed over, in pixels." }),
    prefix: widget(outputName("realism-report"), {
      tooltip: "Names of the .json and .png files below the output directory",
    }),
  },
  outputs: { report: IMAGE, METRICS },
  cache: "pure",
  isOutput: true,
});
