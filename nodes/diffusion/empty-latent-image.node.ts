import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { LATENT } from "../shared/contracts/sockets.ts";

const side = () =>
  widget(z.int().min(16).max(16384).default(512), { step: 8, tooltip: "Pixels; a latent has an eighth of them, rounded down." });

export default declareNode({
  type: "EmptyLatentImage",
  version: "1.0.0",
  category: "latent",
  summary: "An empty latent: sets the size of the picture. A sampler gives it the channels of its model.",
  inputs: { width: side(), height: side(), batch_size: widget(z.int().min(1).max(4096).default(1)) },
  outputs: { LATENT },
  cache: "pure",
});
