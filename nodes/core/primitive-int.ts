import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./primitive-int.node.ts";

export default implementNode(declaration, {
  run: ({ value }) => ({ INT: value }),
});
