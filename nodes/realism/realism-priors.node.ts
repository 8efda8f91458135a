import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { FACE_DETECTOR, REWARD } from "../shared/contracts/sockets.ts";
import { FACES_FROM } from "../shared/realism/faces-to-judge.ts";
import { REALISM_BANDS } from "./sockets.ts";
import { parseStatistics, STATISTIC_NAMES } from "./statistics/names.ts";

/** Why a list of statistics was refused. */
export const NOT_STATISTICS = "statistics must be names with commas between, each once, with a weight behind a colon where it is not 1";

export default declareNode({
  type: "RealismPriors",
  version: "1.1.0",
  category: "realism",
  summary:
    "Keeps the texture of faces where it is in real pictures: minus the mean of max(0, |q - mu|/s - band)² over low-level statistics of the skin.",
  inputs: {
    face_detector: input(FACE_DETECTOR),
    bands: input(REALISM_BANDS, "What the statistics are in real pictures of this kind."),
    statistics: widget(z.string().min(1).max(1000).default(STATISTIC_NAMES.join(", ")), {
      tooltip: `Which, with commas between; name:2 weighs double. There are ${STATISTIC_NAMES.join(", ")}. Leave some out to watch them instead.`,
    }),
    sigma_max: widget(z.number().min(0).max(1).default(0.25), {
      tooltip: "Costs nothing where x0 was predicted at a higher noise level: such a prediction is smooth by nature.",
      step: 0.05,
    }),
    min_size: widget(z.number().int().min(24).max(4096).default(96), {
      tooltip: "Faces smaller than this are passed over, in pixels: texture has no room there. 24 for the embedded model.",
    }),
    max_faces: widget(z.number().int().min(1).max(16).default(4), { tooltip: "Faces looked at; of more, the largest." }),
    faces: widget(z.enum(FACES_FROM).default("detected"), {
      tooltip: "Where the faces are: as found in the picture, or where the training target has them (any noise level).",
    }),
    band: widget(z.number().min(0).max(10).default(1), {
      tooltip:
        "Spreads from the middle that cost nothing: real faces differ by about 1. 0 pulls every face to the middle, where a scorer drives a statistic out of it.",
      step: 0.1,
    }),
  },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
  check: ({ statistics }) =>
    statistics === undefined || parseStatistics(statistics)
      ? []
      : [{ input: "statistics", message: NOT_STATISTICS, hint: `there are ${STATISTIC_NAMES.join(", ")}` }],
});
