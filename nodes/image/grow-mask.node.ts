import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { MASK } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "GrowMask",
  version: "1.0.0",
  category: "mask",
  summary: "Grows masks by some pixels, or shrinks them.",
  inputs: {
    mask: input(MASK),
    expand: widget(z.int().min(-16384).max(16384).default(0), { tooltip: "In pixels; below 0 shrinks." }),
    tapered_corners: widget(z.boolean().default(true), { tooltip: "Off: squares stay squares." }),
  },
  outputs: { MASK },
  cache: "pure",
});
