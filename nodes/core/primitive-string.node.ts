import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { STRING } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "PrimitiveString",
  version: "1.0.0",
  category: "utils/primitive",
  summary: "A line of text for several inputs at once.",
  inputs: { value: widget(z.string().default(""), { tooltip: "The text." }) },
  outputs: { STRING },
  cache: "pure",
  passes: () => "value",
});
