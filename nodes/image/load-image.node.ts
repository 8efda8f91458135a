import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { IMAGE, MASK } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "LoadImage",
  version: "1.0.0",
  category: "image",
  summary: "Reads a PNG, JPEG or WebP from the input folder; the mask is what is transparent.",
  inputs: {
    image: widget(z.string().min(1).max(1024), { tooltip: "A file of the input folder.", file: { kind: "input" } }),
  },
  outputs: { IMAGE, MASK },
  cache: "pure",
});
