import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./primitive-boolean.node.ts";

export default implementNode(declaration, {
  run: ({ value }) => ({ BOOLEAN: value }),
});
