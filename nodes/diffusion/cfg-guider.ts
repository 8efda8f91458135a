import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./cfg-guider.node.ts";

export default implementNode(declaration, {
  run: ({ model, positive, negative, cfg }) => ({ GUIDER: { model, positive, negative, cfg } }),
});
