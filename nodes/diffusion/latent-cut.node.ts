import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { LATENT } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "LatentCut",
  version: "1.0.0",
  category: "latent/advanced",
  summary: "A piece of a latent along one axis.",
  inputs: {
    samples: input(LATENT),
    dim: widget(z.enum(["x", "y", "t"]).default("x"), { tooltip: "t is for latents of several frames." }),
    index: widget(z.int().min(-16384).max(16384).default(0), { tooltip: "Where it begins; below 0 counts from the end." }),
    amount: widget(z.int().min(1).max(16384).default(1)),
  },
  outputs: { LATENT },
  cache: "pure",
});
