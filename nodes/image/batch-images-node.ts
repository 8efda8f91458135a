import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Image } from "../shared/contracts/data.ts";
import { upscale } from "../shared/pictures/resize/upscale.ts";
import declaration from "./batch-images-node.node.ts";

export default implementNode(declaration, {
  run(_inputs, _ctx, extra) {
    const images = Object.values(extra).filter(isImage);
    const [first] = images;
    if (!first) throw new AppError("IMAGE_SHAPE", "no picture is connected", { hint: "connect one to images.image0" });
    const [, height = 0, width = 0, channels = 0] = first.shape;
    const parts = images.map((image) => {
      const [, h, w, c] = image.shape;
      if (c !== channels) throw new AppError("IMAGE_SHAPE", `pictures of ${channels} and of ${c} channels do not make a batch`);
      return h === height && w === width ? image : upscale(image, { width, height }, "bilinear", "center");
    });
    const data = new Float32Array(parts.reduce((n, p) => n + p.data.length, 0));
    let at = 0;
    for (const part of parts) {
      data.set(part.data, at);
      at += part.data.length;
    }
    return { IMAGE: f32([data.length / (height * width * channels), height, width, channels], data) };
  },
});

function isImage(value: unknown): value is Image {
  return typeof value === "object" && value !== null && "data" in value && value.data instanceof Float32Array && "shape" in value;
}
