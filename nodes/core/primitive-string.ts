import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./primitive-string.node.ts";

export default implementNode(declaration, {
  run: ({ value }) => ({ STRING: value }),
});
