import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { FLOAT } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "PrimitiveFloat",
  version: "1.0.0",
  category: "utils/primitive",
  summary: "A number for several inputs at once.",
  inputs: { value: widget(z.number().default(0), { tooltip: "The number.", step: 0.1 }) },
  outputs: { FLOAT },
  cache: "pure",
  passes: () => "value",
});
