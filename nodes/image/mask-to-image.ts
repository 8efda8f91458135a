import { implementNode } from "../../engine/node/define-node.ts";
import { maskImage } from "./mask-image.ts";
import declaration from "./mask-to-image.node.ts";

export default implementNode(declaration, {
  run: ({ mask }) => ({ IMAGE: maskImage(mask) }),
});
