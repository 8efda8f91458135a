import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { REALISM_BANDS } from "./sockets.ts";

export default declareNode({
  type: "RealismBandsLoader",
  version: "1.0.0",
  category: "realism",
  summary: "Loads what low-level statistics are in real pictures: photographs, the drawn people, or your own set (MeasureRealism).",
  inputs: {
    bands_name: widget(z.string().min(1).default("photographs.json"), {
      tooltip: "A .json file below the model folder realism",
      file: { kind: "model", folder: "realism", ends: ".json" },
    }),
  },
  outputs: { bands: REALISM_BANDS },
  cache: "pure",
  isCheap: true,
});
