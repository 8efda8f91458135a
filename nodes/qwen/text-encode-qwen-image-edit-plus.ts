import { z } from "zod";
import { defineNode, input, optional, widget } from "../../engine/node/define-node.ts";
import type { Tensor } from "../../engine/tensor/tensor.ts";
import type { Image } from "../shared/contracts/data.ts";
import { CLIP, CONDITIONING, IMAGE, VAE } from "../shared/contracts/sockets.ts";
import { areaResize } from "../shared/pictures/resize/area.ts";
import { firstPicture } from "./text/first-picture.ts";
import { scaleToArea } from "./text/scale-to-area.ts";
import { encodeImages } from "./vae/encode-images.ts";

/** Pixels of a picture as the text encoder and as the VAE see it. */
const AREA = { vision: 384 * 384, reference: 1024 * 1024 };

export default defineNode({
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
  async run({ clip, prompt, vae, image1, image2, image3 }, ctx) {
    const images: { image: Image; slot: number }[] = [];
    const referenceLatents: Tensor<"float32">[] = [];
    for (const [i, image] of [image1, image2, image3].entries()) {
      if (!image) continue;
      const { picture, size } = firstPicture(image);
      // The number in the prompt is the slot's, even when an earlier slot is empty.
      images.push({ image: areaResize(picture, scaleToArea(AREA.vision, size)), slot: i + 1 });
      if (vae) referenceLatents.push(await encodeImages(ctx.compute, vae, areaResize(picture, scaleToArea(AREA.reference, size, 8))));
    }
    const embeds = await clip.encode(ctx.compute, { template: "plus", prompt, images, resample: "comfyui" });
    return { CONDITIONING: { embeds, referenceLatents } };
  },
});
