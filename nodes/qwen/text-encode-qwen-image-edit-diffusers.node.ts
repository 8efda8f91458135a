import { z } from "zod";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { CLIP, CONDITIONING, IMAGE, INT, VAE } from "../shared/contracts/sockets.ts";

const Side = z.number().int().min(32).max(4096);

export default declareNode({
  type: "TextEncodeQwenImageEditDiffusers",
  version: "1.0.0",
  category: "advanced/conditioning",
  summary: "Encodes a prompt and its pictures as diffusers' Qwen-Image-Edit pipelines do; also gives the size they would paint at.",
  inputs: {
    clip: input(CLIP),
    prompt: widget(z.string().default(""), {
      multiline: true,
      tooltip: "For the negative prompt use a second node with the same pictures; a single space is diffusers' own.",
    }),
    vae: input(VAE),
    pipeline: widget(z.enum(["edit_plus", "edit"]).default("edit_plus"), {
      tooltip:
        "edit_plus: 2509 and 2511, pictures by number. edit: the first model, one picture that both encoders see at the reference size.",
    }),
    vision_size: widget(Side.default(384), { tooltip: "The text encoder sees each picture at about this² pixels (edit_plus).", step: 32 }),
    reference_size: widget(Side.default(1024), { tooltip: "The VAE sees each picture at about this² pixels.", step: 32 }),
    image1: optional(IMAGE),
    image2: optional(IMAGE),
    image3: optional(IMAGE),
    image4: optional(IMAGE),
  },
  outputs: { CONDITIONING, width: INT, height: INT },
  cache: "pure",
});
