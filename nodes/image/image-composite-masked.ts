import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { bilinearResize } from "../shared/pictures/resize/bilinear.ts";
import declaration from "./image-composite-masked.node.ts";

export default implementNode(declaration, {
  run({ destination, source, x, y, resize_source, mask }) {
    const [batch = 0, height = 0, width = 0, channels = 0] = destination.shape;
    const over = resize_source ? bilinearResize(source, { width, height }) : source;
    const [count = 1, h = 0, w = 0, c = 0] = over.shape;
    if (c !== channels) throw new AppError("IMAGE_SHAPE", `a picture of ${c} channels cannot lie on one of ${channels}`);
    const [mh = 0, mw = 0] = mask?.shape.slice(-2) ?? [];
    const alpha = mask && bilinearResize(f32([mask.data.length / (mh * mw), mh, mw, 1], mask.data), { width: w, height: h });
    const masks = alpha?.shape[0] ?? 1;
    const out = Float32Array.from(destination.data);
    for (let b = 0; b < batch; b++)
      for (let i = 0; i < Math.min(h, height - y); i++)
        for (let j = 0; j < Math.min(w, width - x); j++) {
          const m = alpha ? (alpha.data[((b % masks) * h + i) * w + j] ?? 0) : 1;
          const to = ((b * height + y + i) * width + x + j) * channels;
          const from = (((b % count) * h + i) * w + j) * channels;
          for (let k = 0; k < channels; k++) out[to + k] = m * (over.data[from + k] ?? 0) + (1 - m) * (out[to + k] ?? 0);
        }
    return { IMAGE: f32(destination.shape, out) };
  },
});
