import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { IMAGE, MASK } from "../shared/contracts/sockets.ts";

const side = () => widget(z.int().min(0).max(16384).default(0), { step: 8, tooltip: "Pixels to add." });

export default declareNode({
  type: "ImagePadForOutpaint",
  version: "1.0.0",
  category: "image",
  summary: "Grey borders around pictures, and the mask that says where they are.",
  inputs: {
    image: input(IMAGE),
    left: side(),
    top: side(),
    right: side(),
    bottom: side(),
    feathering: widget(z.int().min(0).max(16384).default(40), { tooltip: "Pixels over which the mask fades into the picture." }),
  },
  outputs: { IMAGE, MASK },
  cache: "pure",
});
