import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import declaration from "./image-blur.node.ts";

export default implementNode(declaration, {
  run({ image, blur_radius: radius, sigma }) {
    const [batch = 0, h = 0, w = 0, channels = 0] = image.shape;
    if (radius >= h || radius >= w)
      throw new AppError(
        "IMAGE_SIZE",
        `a radius of ${radius} needs a picture of more than ${radius} pixels on each side, not ${w} × ${h}`,
        {
          hint: "use a smaller radius",
        },
      );
    // The two-dimensional Gaussian is the product of two, each normalised.
    const bell = Float64Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i / radius - 1) ** 2) / (2 * sigma * sigma)));
    const sum = bell.reduce((a, x) => a + x, 0);
    const kernel = bell.map((x) => x / sum);
    const mirrored = (i: number, size: number): number => (i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i);
    const pass = (
      data: Float32Array,
      along: number,
      at: (plane: number, other: number, i: number) => number,
      others: number,
    ): Float32Array => {
      const out = new Float32Array(data.length);
      for (let plane = 0; plane < batch * channels; plane++)
        for (let other = 0; other < others; other++)
          for (let i = 0; i < along; i++) {
            let value = 0;
            for (let k = -radius; k <= radius; k++)
              value += (kernel[k + radius] ?? 0) * (data[at(plane, other, mirrored(i + k, along))] ?? 0);
            out[at(plane, other, i)] = value;
          }
      return out;
    };
    const at = (plane: number, y: number, x: number): number =>
      ((Math.floor(plane / channels) * h + y) * w + x) * channels + (plane % channels);
    const across = pass(image.data, w, at, h);
    return {
      IMAGE: f32(
        image.shape,
        pass(across, h, (plane, x, y) => at(plane, y, x), w),
      ),
    };
  },
});
