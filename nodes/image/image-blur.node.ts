import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "ImageBlur",
  version: "1.0.0",
  category: "image/postprocessing",
  summary: "Blurs pictures with a Gaussian; the border is mirrored.",
  inputs: {
    image: input(IMAGE),
    blur_radius: widget(z.int().min(1).max(31).default(1), { tooltip: "Pixels on each side that are averaged." }),
    sigma: widget(z.number().min(0.1).max(10).default(1), { step: 0.1, tooltip: "In units of the radius." }),
  },
  outputs: { IMAGE },
  cache: "pure",
});
