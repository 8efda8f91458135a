import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { REALISM_SCORER } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "RealismScorerLoader",
  version: "1.0.0",
  category: "realism",
  summary: "Loads a realism scorer that TrainRealismReward made. Other people's scorers go through LoadOnnx and OnnxReward.",
  inputs: {
    scorer_name: widget(z.string().min(1).default("drawn-people.safetensors"), {
      tooltip: "A .safetensors file below the model folder realism",
      file: { kind: "model", folder: "realism", ends: ".safetensors" },
    }),
  },
  outputs: { scorer: REALISM_SCORER },
  cache: "pure",
  isCheap: true,
});
