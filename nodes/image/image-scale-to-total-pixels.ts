import { roundHalfEven } from "../../engine/base/round-half-even.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { upscale } from "../shared/pictures/resize/upscale.ts";
import declaration from "./image-scale-to-total-pixels.node.ts";

export default implementNode(declaration, {
  run({ image, upscale_method, megapixels, resolution_steps }) {
    const [, h = 1, w = 1] = image.shape;
    const scale = Math.sqrt((megapixels * 1024 * 1024) / (w * h));
    const snap = (side: number) => Math.max(1, roundHalfEven((side * scale) / resolution_steps)) * resolution_steps;
    return { IMAGE: upscale(image, { width: snap(w), height: snap(h) }, upscale_method, "disabled") };
  },
});
