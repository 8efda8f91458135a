import { z } from "zod";
import { roundHalfEven } from "../../engine/base/round-half-even.ts";
import { defineNode, input, widget } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";
import { UPSCALE_METHODS, upscale } from "../shared/pictures/resize/upscale.ts";

const side = z.int().min(0).max(16384).default(512);

export default defineNode({
  type: "ImageScale",
  version: "1.0.0",
  category: "image/upscaling",
  summary: "Resizes pictures to a size; a side of 0 follows the other.",
  inputs: {
    image: input(IMAGE),
    upscale_method: widget(z.enum(UPSCALE_METHODS).default("nearest-exact")),
    width: widget(side, { tooltip: "In pixels; 0 keeps the aspect." }),
    height: widget(side, { tooltip: "In pixels; 0 keeps the aspect." }),
    crop: widget(z.enum(["disabled", "center"]).default("disabled"), { tooltip: "center: cut instead of stretching." }),
  },
  outputs: { IMAGE },
  cache: "pure",
  run({ image, upscale_method, width, height, crop }) {
    if (width === 0 && height === 0) return { IMAGE: image };
    const [, h = 1, w = 1] = image.shape;
    const size = {
      width: width || Math.max(1, roundHalfEven((w * height) / h)),
      height: height || Math.max(1, roundHalfEven((h * width) / w)),
    };
    return { IMAGE: upscale(image, size, upscale_method, crop) };
  },
});
