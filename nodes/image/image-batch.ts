import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { upscale } from "../shared/pictures/resize/upscale.ts";
import declaration from "./image-batch.node.ts";

export default implementNode(declaration, {
  run({ image1, image2 }) {
    const [b1 = 0, height = 0, width = 0, channels = 0] = image1.shape;
    const [b2 = 0, h2 = 0, w2 = 0, c2 = 0] = image2.shape;
    if (channels !== c2) throw new AppError("IMAGE_SHAPE", `pictures of ${channels} and of ${c2} channels do not make a batch`);
    const second = h2 === height && w2 === width ? image2 : upscale(image2, { width, height }, "bilinear", "center");
    const data = new Float32Array(image1.data.length + second.data.length);
    data.set(image1.data);
    data.set(second.data, image1.data.length);
    return { IMAGE: f32([b1 + b2, height, width, channels], data) };
  },
});
