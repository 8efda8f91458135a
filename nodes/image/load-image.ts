import { z } from "zod";
import { defineNode, widget } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { IMAGE, MASK } from "../shared/contracts/sockets.ts";
import { decodePicture } from "../shared/pictures/codec.ts";
import { imageOfBytes } from "../shared/pictures/picture-bytes.ts";

/** ComfyUI's side of the empty mask of a picture without transparency. */
const EMPTY_MASK = 64;

export default defineNode({
  type: "LoadImage",
  version: "1.0.0",
  category: "image",
  summary: "Reads a PNG, JPEG or WebP from the input folder; the mask is what is transparent.",
  inputs: {
    image: widget(z.string().min(1).max(1024), { tooltip: "A file of the input folder.", file: { kind: "input" } }),
  },
  outputs: { IMAGE, MASK },
  cache: "pure",
  async run({ image }, ctx) {
    const { width, height, rgb, alpha } = await decodePicture(await ctx.readInput(image), image);
    return {
      IMAGE: imageOfBytes(rgb, width, height),
      MASK: alpha
        ? f32(
            [1, height, width],
            Float32Array.from(alpha, (a) => 1 - Math.fround(a / 255)),
          )
        : f32([1, EMPTY_MASK, EMPTY_MASK], new Float32Array(EMPTY_MASK ** 2)),
    };
  },
});
