import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { FACE_DETECTOR, REWARD } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "CountReward",
  version: "1.0.0",
  category: "rewards",
  summary: "1 when as many faces are found as people were asked for. No gradient: for gates and logs.",
  inputs: {
    face_detector: input(FACE_DETECTOR),
    min_size: widget(z.number().int().min(0).max(4096).default(0), { tooltip: "Faces smaller than this are not counted, in pixels." }),
  },
  outputs: { REWARD },
  cache: "pure",
  isCheap: true,
});
