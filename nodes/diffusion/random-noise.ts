import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./random-noise.node.ts";

export default implementNode(declaration, {
  run: ({ noise_seed }) => ({ NOISE: { seed: noise_seed } }),
});
