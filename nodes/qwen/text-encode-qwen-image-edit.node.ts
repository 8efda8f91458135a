import { z } from "zod";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { CLIP, CONDITIONING, IMAGE, VAE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "TextEncodeQwenImageEdit",
  version: "1.0.0",
  category: "advanced/conditioning",
  summary: "Encodes a prompt and one picture for Qwen-Image-Edit, as ComfyUI's node does.",
  inputs: {
    clip: input(CLIP),
    prompt: widget(z.string().default(""), { multiline: true }),
    vae: optional(VAE, "Encodes the picture as the reference latent."),
    image: optional(IMAGE),
  },
  outputs: { CONDITIONING },
  cache: "pure",
});
