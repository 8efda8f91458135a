import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./primitive-float.node.ts";

export default implementNode(declaration, {
  run: ({ value }) => ({ FLOAT: value }),
});
