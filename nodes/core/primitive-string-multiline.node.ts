import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { STRING } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "PrimitiveStringMultiline",
  version: "1.0.0",
  category: "utils/primitive",
  summary: "Text of several lines for several inputs at once.",
  inputs: { value: widget(z.string().default(""), { tooltip: "The text.", multiline: true }) },
  outputs: { STRING },
  cache: "pure",
  passes: () => "value",
});
