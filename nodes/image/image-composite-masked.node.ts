import { z } from "zod";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { IMAGE, MASK } from "../shared/contracts/sockets.ts";

const at = () => widget(z.int().min(0).max(16384).default(0), { tooltip: "Pixels from the left or top of destination." });

export default declareNode({
  type: "ImageCompositeMasked",
  version: "1.0.0",
  category: "image",
  summary: "Lays one picture over another, where a mask says.",
  inputs: {
    destination: input(IMAGE),
    source: input(IMAGE),
    x: at(),
    y: at(),
    resize_source: widget(z.boolean().default(false), { tooltip: "Stretches source to the size of destination." }),
    mask: optional(MASK, "Where source shows; resized to it. Without one all of it does."),
  },
  outputs: { IMAGE },
  cache: "pure",
});
