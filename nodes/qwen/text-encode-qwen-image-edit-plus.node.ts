import { z } from "zod";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { CLIP, CONDITIONING, IMAGE, VAE } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "TextEncodeQwenImageEditPlus",
  version: "1.0.0",
  category: "advanced/conditioning",
  summary: "Encodes a prompt and up to three pictures for Qwen-Image-Edit 2509 and 2511, as ComfyUI's node does.",
  inputs: {
    clip: input(CLIP),
    prompt: widget(z.string().default(""), { multiline: true }),
    vae: optional(VAE, "Encodes the pictures as reference latents."),
    image1: optional(IMAGE, "“Picture 1” of the prompt."),
    image2: optional(IMAGE, "“Picture 2” of the prompt."),
    image3: optional(IMAGE, "“Picture 3” of the prompt."),
  },
  outputs: { CONDITIONING },
  cache: "pure",
});
