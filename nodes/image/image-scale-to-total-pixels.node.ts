import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";
import { UPSCALE_METHODS } from "../shared/pictures/resize/upscale-methods.ts";

export default declareNode({
  type: "ImageScaleToTotalPixels",
  version: "1.0.0",
  category: "image/upscaling",
  summary: "Resizes pictures to about so many megapixels (of 1024 × 1024) at their aspect.",
  inputs: {
    image: input(IMAGE),
    upscale_method: widget(z.enum(UPSCALE_METHODS).default("nearest-exact")),
    megapixels: widget(z.number().min(0.01).max(16).default(1), { step: 0.01 }),
    resolution_steps: widget(z.int().min(1).max(256).default(1), { tooltip: "Sides become multiples of this." }),
  },
  outputs: { IMAGE },
  cache: "pure",
});
