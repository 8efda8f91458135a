import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./string-concatenate.node.ts";

export default implementNode(declaration, {
  run: ({ string_a, string_b, delimiter }) => ({ STRING: `${string_a}${delimiter}${string_b}` }),
});
