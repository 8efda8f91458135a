import { roundHalfEven } from "../../engine/base/round-half-even.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { upscale } from "../shared/pictures/resize/upscale.ts";
import declaration from "./image-scale.node.ts";

export default implementNode(declaration, {
  run({ image, upscale_method, width, height, crop }) {
    if (width === 0 && height === 0) return { IMAGE: image };
    const [, h = 1, w = 1] = image.shape;
    const size = {
      width: width || Math.max(1, roundHalfEven((w * height) / h)),
      height: height || Math.max(1, roundHalfEven((h * width) / w)),
    };
    return { IMAGE: upscale(image, size, upscale_method, crop) };
  },
});
