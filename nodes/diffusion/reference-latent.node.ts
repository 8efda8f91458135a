import { declareNode, input, optional } from "../../engine/node/define-node.ts";
import { CONDITIONING, LATENT } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "ReferenceLatent",
  version: "1.0.0",
  category: "advanced/conditioning/edit_models",
  summary: "Adds a picture (its latent) to those the prompt refers to.",
  inputs: { conditioning: input(CONDITIONING), latent: optional(LATENT) },
  outputs: { CONDITIONING },
  cache: "pure",
});
