import { z } from "zod";
import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";
import { outputName } from "../shared/output-name.ts";

export default declareNode({
  type: "SaveImageAdvanced",
  version: "1.0.0",
  category: "image",
  summary: "Writes the pictures into the output folder, with the workflow that made them inside.",
  inputs: {
    images: input(IMAGE),
    filename_prefix: widget(outputName("ComfyUI"), {
      tooltip: "May hold folders, %date:yyyy-MM-dd%, %NODE.WIDGET%, %width% %height% %batch_num%.",
    }),
    format: widget(z.enum(["png"]).default("png")),
    "format.bit_depth": widget(z.enum(["8-bit"]).default("8-bit")),
    "format.input_color_space": widget(z.enum(["sRGB"]).default("sRGB")),
  },
  outputs: { images: IMAGE },
  cache: "never",
  isOutput: true,
  passes: () => "images",
});
