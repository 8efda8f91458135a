import { z } from "zod";
import { declareNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { IMAGE_OR_MASK } from "../shared/contracts/sockets.ts";
import { UPSCALE_METHODS } from "../shared/pictures/resize/upscale-methods.ts";

export const RESIZE_TYPES = [
  "scale dimensions",
  "scale by multiplier",
  "scale longer dimension",
  "scale shorter dimension",
  "scale width",
  "scale height",
  "scale total pixels",
  "match size",
  "scale to multiple",
] as const;

const side = z.int().min(0).max(16384).default(512);
/** A widget that exists for some kinds of resizing only. */
const only = (...kinds: readonly (typeof RESIZE_TYPES)[number][]) => ({ when: { resize_type: kinds } });

export default declareNode({
  type: "ResizeImageMaskNode",
  version: "1.0.0",
  category: "image/transform",
  summary: "Resizes pictures or masks, by one of nine rules.",
  inputs: {
    input: input(IMAGE_OR_MASK),
    resize_type: widget(z.enum(RESIZE_TYPES).default("scale dimensions")),
    "resize_type.width": widget(side, { ...only("scale dimensions", "scale width"), tooltip: "0 follows the other side." }),
    "resize_type.height": widget(side, { ...only("scale dimensions", "scale height"), tooltip: "0 follows the other side." }),
    "resize_type.match": optional(IMAGE_OR_MASK, "For match size: what has the size."),
    "resize_type.crop": widget(z.enum(["disabled", "center"]).default("center"), {
      ...only("scale dimensions", "match size"),
      tooltip: "center: cut instead of stretching.",
    }),
    "resize_type.multiplier": widget(z.number().min(0.01).max(8).default(1), { ...only("scale by multiplier"), step: 0.01 }),
    "resize_type.longer_size": widget(side, only("scale longer dimension")),
    "resize_type.shorter_size": widget(side, only("scale shorter dimension")),
    "resize_type.megapixels": widget(z.number().min(0.01).max(16).default(1), { ...only("scale total pixels"), step: 0.01 }),
    "resize_type.multiple": widget(z.int().min(1).max(16384).default(1), {
      ...only("scale total pixels", "scale to multiple"),
      tooltip: "Sides become multiples of it.",
    }),
    scale_method: widget(z.enum(UPSCALE_METHODS).default("area")),
  },
  outputs: { resized: IMAGE_OR_MASK },
  cache: "pure",
});
