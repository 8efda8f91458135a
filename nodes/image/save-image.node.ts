import { declareNode, input, widget } from "../../engine/node/define-node.ts";
import { IMAGE } from "../shared/contracts/sockets.ts";
import { outputName } from "../shared/output-name.ts";

export default declareNode({
  type: "SaveImage",
  version: "1.1.0",
  category: "image",
  summary: "Writes the pictures as PNG into the output folder, with the workflow that made them inside.",
  inputs: {
    images: input(IMAGE),
    filename_prefix: widget(outputName("ComfyUI"), {
      tooltip:
        "May hold folders, %date:yyyy-MM-dd%, %NODE.WIDGET%, %width% %height% %batch_num% %year% %month% %day% %hour% %minute% %second%.",
    }),
  },
  outputs: { images: IMAGE },
  // A result may come from the cache of an earlier run, whose output folder was another.
  cache: "never",
  isOutput: true,
  passes: () => "images",
});
