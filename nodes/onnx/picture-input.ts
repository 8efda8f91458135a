// A picture as an ONNX model wants it: resized with antialiasing, normalised, in its layout. Differentiable in the pixels.
import { AppError } from "../../engine/base/errors.ts";
import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";
import { f32, type Tensor } from "../../engine/tensor/tensor.ts";
import type { OnnxModel } from "./onnx-model.ts";

export interface PictureInputOptions {
  /** Side in pixels; 0 = what the file fixes, or 224. */
  readonly size: number;
  /** (x − mean)/std on colours of 0..1, one number or three. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly color: "RGB" | "BGR";
}

/** Where the picture goes, once the model is known. */
export interface PicturePort {
  readonly input: string;
  readonly height: number;
  readonly width: number;
  readonly nhwc: boolean;
}

/** Finds the one picture input. @throws AppError ONNX_PICTURE when there is none, or others need values too. */
export function picturePort(model: OnnxModel, size: number): PicturePort {
  const [input, ...others] = model.inputs;
  if (!input || others.length > 0 || input.shape.length !== 4)
    throw new AppError(
      "ONNX_PICTURE",
      `${model.name} must have one picture input, it has ${model.inputs.map((i) => `${i.name} [${i.shape}]`).join(", ")}`,
      {
        hint: "export the model with the picture as its only input, [N, 3, H, W] or [N, H, W, 3]",
      },
    );
  const [, second, third, last] = input.shape;
  const nhwc = last === 3 && second !== 3;
  const [h, w] = nhwc ? [second, third] : [third, last];
  const fixed = (d: number | string | undefined) => (size > 0 ? size : typeof d === "number" && d > 0 ? d : 224);
  return { input: input.name, height: fixed(h), width: fixed(w), nhwc };
}

/** Outputs of the model for image [1, 3, H, W] in 0..1. */
export function applyToPicture(
  b: Builder,
  model: OnnxModel,
  port: PicturePort,
  image: Value,
  options: PictureInputOptions,
): Record<string, Value> {
  const [, , height = 1, width = 1] = image.shape;
  const rows = b.constant(resampling(port.height, height));
  const columns = b.transpose(b.constant(resampling(port.width, width)), [1, 0]);
  const resized = b.matmul(b.matmul(rows, image), columns);
  const perChannel = (xs: readonly number[]) =>
    b.constant(
      f32(
        [1, 3, 1, 1],
        [0, 1, 2].map((c) => xs[c] ?? xs[0] ?? 0),
      ),
    );
  const colours =
    options.color === "RGB"
      ? resized
      : b.concat(
          [2, 1, 0].map((c) => b.slice(resized, 1, c, c + 1)),
          1,
        );
  const normal = b.div(b.sub(colours, perChannel(options.mean)), perChannel(options.std));
  const dtype = model.inputs[0]?.dtype ?? "float32";
  return model.build(b, { [port.input]: b.cast(port.nhwc ? b.transpose(normal, [0, 2, 3, 1]) : normal, dtype) });
}

/** [to, from] matrix of a triangle filter whose support grows when shrinking (bilinear with antialiasing). Rows sum to 1. */
export function resampling(to: number, from: number): Tensor<"float32"> {
  const scale = from / to;
  const support = Math.max(1, scale);
  const m = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale - 0.5;
    let sum = 0;
    for (let k = Math.max(0, Math.ceil(centre - support)); k <= Math.min(from - 1, Math.floor(centre + support)); k++) {
      const weight = Math.max(0, 1 - Math.abs(k - centre) / support);
      m[i * from + k] = weight;
      sum += weight;
    }
    for (let k = 0; k < from; k++) m[i * from + k] = (m[i * from + k] ?? 0) / sum;
  }
  return f32([to, from], m);
}
