import { z } from "zod";
import { defineNode, widget } from "../../engine/node/define-node.ts";
import { STRING } from "../shared/contracts/sockets.ts";

export default defineNode({
  type: "PrimitiveString",
  version: "1.0.0",
  category: "utils/primitive",
  summary: "A line of text for several inputs at once.",
  inputs: { value: widget(z.string().default(""), { tooltip: "The text." }) },
  outputs: { STRING },
  cache: "pure",
  passes: () => "value",
  run: ({ value }) => ({ STRING: value }),
});
