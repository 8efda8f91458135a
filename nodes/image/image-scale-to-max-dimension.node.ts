import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";
import { UPSCALE_METHODS } from "../shared/pictures/resize/upscale-methods.ts";

export default declareNode({
  type: "ImageScaleToMaxDimension",
  version: "1.0.0",
  category: "image/upscaling",
  summary: "Resizes pictures so that the longer side has a length; the aspect stays.",
  inputs: {
    image: input(IMAGE),
    upscale_method: widget(z.enum(UPSCALE_METHODS).default("area")),
    largest_size: widget(z.int().min(0).max(16384).default(512), { tooltip: "Length of the longer side, in pixels." }),
  },
  outputs: { IMAGE },
  cache: "pure",
});
