import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { INT } from "../shared/contracts/sockets.ts";

/** Width and height of each aspect. */
export const ASPECT_RATIOS = {
  "1:1 (Square)": [1, 1],
  "3:2 (Photo)": [3, 2],
  "4:3 (Standard)": [4, 3],
  "16:9 (Widescreen)": [16, 9],
  "21:9 (Ultrawide)": [21, 9],
  "2:3 (Portrait Photo)": [2, 3],
  "3:4 (Portrait Standard)": [3, 4],
  "9:16 (Portrait Widescreen)": [9, 16],
} as const;

export default declareNode({
  type: "ResolutionSelector",
  version: "1.0.0",
  category: "utils",
  summary: "Width and height of an aspect and a number of pixels.",
  inputs: {
    aspect_ratio: widget(
      z
        .enum([
          "1:1 (Square)",
          "3:2 (Photo)",
          "4:3 (Standard)",
          "16:9 (Widescreen)",
          "21:9 (Ultrawide)",
          "2:3 (Portrait Photo)",
          "3:4 (Portrait Standard)",
          "9:16 (Portrait Widescreen)",
        ])
        .default("1:1 (Square)"),
    ),
    megapixels: widget(z.number().min(0.1).max(16).default(1), { step: 0.1, tooltip: "In 2^20 pixels: 1 is 1024 × 1024." }),
    multiple: widget(z.int().min(8).max(128).default(8), { step: 4, tooltip: "Sides are rounded to multiples of it." }),
  },
  outputs: { width: INT, height: INT },
  cache: "pure",
});
