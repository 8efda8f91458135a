import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./disable-noise.node.ts";

export default implementNode(declaration, {
  run: () => ({ NOISE: { seed: null } }),
});
