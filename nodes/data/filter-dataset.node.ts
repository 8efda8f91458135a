import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { DATASET, FACE_DETECTOR, FACE_ENCODER, METRICS } from "../shared/contracts/sockets.ts";
import { outputName } from "../shared/output-name.ts";

export default declareNode({
  type: "FilterDataset",
  version: "1.0.0",
  category: "data",
  summary:
    "Keeps the examples whose faces are right: as many as references, each like its own reference within a band, nobody in another's place. For synthetic scenes, before they are mixed in.",
  inputs: {
    dataset: input(DATASET),
    detector: input(FACE_DETECTOR),
    encoder: input(FACE_ENCODER, "Best another than the reward's"),
    min_similarity: widget(z.number().min(-1).max(1).default(0.4), {
      tooltip: "Cosine of each face to its reference: below it is not taken for the same person",
      step: 0.01,
    }),
    max_similarity: widget(z.number().min(-1).max(1).default(0.97), { tooltip: "Above it a face counts as copied", step: 0.01 }),
    min_margin: widget(z.number().min(0).max(2).default(0), {
      tooltip: "By how much a face must be more like its own reference than like any other's",
      step: 0.01,
    }),
    wanted: widget(z.int().min(0).max(1_000_000).default(0), {
      tooltip: "Training examples that are enough: the others are not looked at. 0 = all are",
    }),
    prefix: widget(outputName("rejected"), { tooltip: "Folder below the output directory, for a sheet of what was rejected" }),
  },
  outputs: { dataset: DATASET, METRICS },
  cache: "pure",
  check: (i) =>
    i.min_similarity !== undefined && i.max_similarity !== undefined && i.min_similarity > i.max_similarity
      ? [
          {
            input: "min_similarity",
            message: `${i.min_similarity} is more than max_similarity, ${i.max_similarity}: nothing could pass`,
            hint: "lower min_similarity",
          },
        ]
      : [],
});
