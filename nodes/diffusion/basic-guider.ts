import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./basic-guider.node.ts";

export default implementNode(declaration, {
  run: ({ model, conditioning }) => ({ GUIDER: { model, positive: conditioning, negative: conditioning, cfg: 1 } }),
});
