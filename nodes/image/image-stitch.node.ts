import { z } from "zod";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "ImageStitch",
  version: "1.0.0",
  category: "image/transform",
  summary: "Puts a second picture beside the first.",
  inputs: {
    image1: input(IMAGE),
    direction: widget(z.enum(["right", "down", "left", "up"]).default("right"), { tooltip: "Where the second goes." }),
    match_image_size: widget(z.boolean().default(true), {
      tooltip: "Scale the second to the first; else the smaller is centred on black.",
    }),
    spacing_width: widget(z.int().min(0).max(1024).default(0), { step: 2, tooltip: "Between them, in pixels; odd widths grow by one." }),
    spacing_color: widget(z.enum(["white", "black", "red", "green", "blue"]).default("white")),
    image2: optional(IMAGE),
  },
  outputs: { IMAGE },
  cache: "pure",
});
