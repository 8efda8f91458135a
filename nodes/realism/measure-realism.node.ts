import { z } from "zod";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { DATASET, FACE_DETECTOR, METRICS } from "../shared/contracts/sockets.ts";
import { outputName } from "../shared/output-name.ts";
import { REALISM_BANDS } from "./sockets.ts";

export default declareNode({
  type: "MeasureRealism",
  version: "1.0.0",
  category: "realism",
  summary:
    "Measures what low-level statistics of faces are in real pictures, by face size: a folder of photographs, or the targets of a dataset.",
  inputs: {
    face_detector: input(FACE_DETECTOR),
    dataset: optional(DATASET, "Measure the targets of its training examples instead of a folder."),
    folder: widget(z.string().min(1).max(1024).default("photographs"), {
      tooltip: "A folder below the input folder, with all below it; . is the input folder itself. Not read when a dataset is connected.",
    }),
    examples: widget(z.number().int().min(1).max(100_000).default(256), { tooltip: "Pictures looked at, at most" }),
    min_size: widget(z.number().int().min(24).max(4096).default(96), { tooltip: "Faces smaller than this are passed over, in pixels." }),
    about: widget(z.string().max(2000).default(""), { tooltip: "What was measured, and its licence: kept in the file.", multiline: true }),
    prefix: widget(outputName("realism/bands"), { tooltip: "Name of the .json file below the output directory" }),
  },
  outputs: { bands: REALISM_BANDS, METRICS },
  // Pictures may change while the folder's name stays.
  cache: "never",
  isOutput: true,
});
