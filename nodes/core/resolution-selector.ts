import { roundHalfEven } from "../../engine/base/round-half-even.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import declaration, { ASPECT_RATIOS } from "./resolution-selector.node.ts";

export default implementNode(declaration, {
  run({ aspect_ratio, megapixels, multiple }) {
    const [w, h] = ASPECT_RATIOS[aspect_ratio];
    const scale = Math.sqrt((megapixels * 2 ** 20) / (w * h));
    const side = (n: number): number => roundHalfEven((n * scale) / multiple) * multiple;
    return { width: side(w), height: side(h) };
  },
});
