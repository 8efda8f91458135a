import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { INT } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "PrimitiveInt",
  version: "1.0.0",
  category: "utils/primitive",
  summary: "A whole number for several inputs at once.",
  inputs: { value: widget(z.int().default(0), { tooltip: "The number.", controlAfterGenerate: true }) },
  outputs: { INT },
  cache: "pure",
  passes: () => "value",
});
