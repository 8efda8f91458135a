import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";
import { UPSCALE_METHODS } from "../shared/pictures/resize/upscale-methods.ts";

const side = z.int().min(0).max(16384).default(512);

export default declareNode({
  type: "ImageScale",
  version: "1.0.0",
  category: "image/upscaling",
  summary: "Resizes pictures to a size; a side of 0 follows the other.",
  inputs: {
    image: input(IMAGE),
    upscale_method: widget(z.enum(UPSCALE_METHODS).default("nearest-exact")),
    width: widget(side, { tooltip: "In pixels; 0 keeps the aspect." }),
    height: widget(side, { tooltip: "In pixels; 0 keeps the aspect." }),
    crop: widget(z.enum(["disabled", "center"]).default("disabled"), { tooltip: "center: cut instead of stretching." }),
  },
  outputs: { IMAGE },
  cache: "pure",
});
