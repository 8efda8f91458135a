import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { IMAGE, MASK } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "LoadImage",
  version: "1.1.0",
  category: "image",
  summary: "Reads a picture (PNG, JPEG, WebP, GIF, TIFF, AVIF, BMP) from the input folder; the mask is what is transparent.",
  inputs: {
    image: widget(z.string().min(1).max(1024), { tooltip: "A file of the input folder.", file: { kind: "input", holds: "picture" } }),
    color_profile: widget(z.enum(["ignore", "convert"]).default("ignore"), {
      ours: true,
      tooltip: "What to do with a colour profile that is not sRGB's (Display P3, Adobe RGB …): ignore it, as ComfyUI does, or convert.",
    }),
  },
  outputs: { IMAGE, MASK },
  cache: "pure",
});
