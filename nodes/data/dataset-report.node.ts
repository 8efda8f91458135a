import { z } from "zod";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { DATASET, FACE_ENCODER, IMAGE, METRICS } from "../shared/contracts/sockets.ts";
import { outputName } from "../shared/output-name.ts";

export default declareNode({
  type: "DatasetReport",
  version: "1.0.0",
  category: "data",
  summary:
    "A contact sheet of a dataset: pictures with their faces, how like references are to targets, duplicates, copies, and what is left out and why.",
  inputs: {
    dataset: input(DATASET),
    encoder: optional(FACE_ENCODER, "Measures how like each reference is to its face in the target; best another than the dataset's"),
    examples: widget(z.int().min(1).max(1000).default(64), { tooltip: "Of each split at most" }),
    duplicates: widget(z.int().min(0).max(64).default(3), { tooltip: "Bits of 64 in which targets may differ and count as the same" }),
    prefix: widget(outputName("dataset-report"), { tooltip: "Folder below the output directory" }),
  },
  outputs: { sheet: IMAGE, METRICS },
  cache: "never",
  isOutput: true,
});
