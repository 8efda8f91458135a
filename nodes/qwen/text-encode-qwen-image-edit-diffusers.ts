import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { defineNode, input, optional, widget } from "../../engine/node/define-node.ts";
import type { Tensor } from "../../engine/tensor/tensor.ts";
import type { Image } from "../shared/contracts/data.ts";
import { CLIP, CONDITIONING, IMAGE, INT, VAE } from "../shared/contracts/sockets.ts";
import { lanczosResize } from "../shared/pictures/resize/lanczos.ts";
import { calculateDimensions, type PictureSize } from "../shared/pictures/resize/size.ts";
import { visionPicture } from "../shared/pictures/vision-picture.ts";
import { firstPicture } from "./text/first-picture.ts";
import { encodeImages } from "./vae/encode-images.ts";

const Side = z.number().int().min(32).max(4096);

export default defineNode({
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
  async run({ clip, prompt, vae, pipeline, vision_size, reference_size, image1, image2, image3, image4 }, ctx) {
    const pictures = [image1, image2, image3, image4].filter((image) => image !== undefined);
    if (pipeline === "edit" && pictures.length > 1)
      throw new AppError("TEXT_IMAGES", `the edit pipeline takes one picture, ${pictures.length} are connected`, {
        hint: "choose edit_plus for several pictures",
      });
    const images: { image: Image; slot: number }[] = [];
    const referenceLatents: Tensor<"float32">[] = [];
    let last: PictureSize = { width: reference_size, height: reference_size };
    for (const image of pictures) {
      const { picture, size } = firstPicture(image);
      last = calculateDimensions(reference_size ** 2, size);
      const reference = lanczosResize(picture, last);
      const seen = pipeline === "edit" ? reference : visionPicture(picture, vision_size);
      images.push({ image: seen, slot: images.length + 1 });
      referenceLatents.push(await encodeImages(ctx.compute, vae, reference));
    }
    const template = pipeline === "edit_plus" ? "plus" : images.length ? "edit" : "t2i";
    const embeds = await clip.encode(ctx.compute, { template, prompt, images, resample: "diffusers" });
    return { CONDITIONING: { embeds, referenceLatents }, ...last };
  },
});
