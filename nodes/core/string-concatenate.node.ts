import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { STRING } from "../shared/contracts/sockets.ts";

const text = () => widget(z.string().default(""), { multiline: true });

export default declareNode({
  type: "StringConcatenate",
  version: "1.0.0",
  category: "utils/string",
  summary: "Two texts as one, with something between them.",
  inputs: { string_a: text(), string_b: text(), delimiter: widget(z.string().default("")) },
  outputs: { STRING },
  cache: "pure",
});
