import { z } from "zod";
import { roundHalfEven } from "../../engine/base/round-half-even.ts";
import { defineNode, input, widget } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";
import { UPSCALE_METHODS, upscale } from "../shared/pictures/resize/upscale.ts";

export default defineNode({
  type: "ImageScaleToTotalPixels",
  version: "1.0.0",
  category: "image/upscaling",
  summary: "Resizes pictures to about so many megapixels (of 1024 × 1024) at their aspect.",
  inputs: {
    image: input(IMAGE),
    upscale_method: widget(z.enum(UPSCALE_METHODS).default("nearest-exact")),
    megapixels: widget(z.number().min(0.01).max(16).default(1), { step: 0.01 }),
    resolution_steps: widget(z.int().min(1).max(256).default(1), { tooltip: "Sides become multiples of this." }),
  },
  outputs: { IMAGE },
  cache: "pure",
  run({ image, upscale_method, megapixels, resolution_steps }) {
    const [, h = 1, w = 1] = image.shape;
    const scale = Math.sqrt((megapixels * 1024 * 1024) / (w * h));
    const snap = (side: number) => Math.max(1, roundHalfEven((side * scale) / resolution_steps)) * resolution_steps;
    return { IMAGE: upscale(image, { width: snap(w), height: snap(h) }, upscale_method, "disabled") };
  },
});
