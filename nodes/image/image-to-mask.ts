import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import declaration from "./image-to-mask.node.ts";

export default implementNode(declaration, {
  run({ image, channel }) {
    const [batch = 0, h = 0, w = 0, channels = 0] = image.shape;
    const at = ["red", "green", "blue", "alpha"].indexOf(channel);
    if (at >= channels)
      throw new AppError("IMAGE_SHAPE", "these pictures have no alpha channel", { hint: "use the MASK output of LoadImage" });
    return {
      MASK: f32(
        [batch, h, w],
        Float32Array.from({ length: batch * h * w }, (_, i) => image.data[i * channels + at] ?? 0),
      ),
    };
  },
});
