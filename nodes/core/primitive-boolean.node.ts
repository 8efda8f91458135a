import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { BOOLEAN } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "PrimitiveBoolean",
  version: "1.0.0",
  category: "utils/primitive",
  summary: "Yes or no, for several inputs at once.",
  inputs: { value: widget(z.boolean().default(false), { tooltip: "Yes or no." }) },
  outputs: { BOOLEAN },
  cache: "pure",
  passes: () => "value",
});
