import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { decodePicture, pictureHeader } from "../shared/pictures/codec.ts";
import { imageOfBytes } from "../shared/pictures/picture-bytes.ts";
import declaration from "./load-image.node.ts";

/** Side of the empty mask that ComfyUI gives a picture without transparency. */
const EMPTY_MASK = 64;

export default implementNode(declaration, {
  async dryRun({ image }, ctx) {
    if (image !== undefined) await pictureHeader(await ctx.readInput(image), image);
    return {};
  },
  async run({ image, color_profile }, ctx) {
    const { width, height, rgb, alpha, notes } = await decodePicture(await ctx.readInput(image), image, color_profile);
    for (const note of notes) ctx.log("warn", note);
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
