import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { LATENT } from "../shared/contracts/sockets.ts";

const side = () =>
  widget(z.int().min(16).max(16384).default(1024), { step: 16, tooltip: "Pixels; a latent has an eighth of them, rounded down." });

export default declareNode({
  type: "EmptySD3LatentImage",
  version: "1.1.0",
  category: "latent/sd3",
  summary: "An empty latent of 16 channels: sets the size of the picture.",
  inputs: {
    width: side(),
    height: side(),
    batch_size: widget(z.int().min(1).max(4096).default(1)),
  },
  outputs: { LATENT },
  cache: "pure",
});
