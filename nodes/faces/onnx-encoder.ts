import { AppError } from "../../engine/base/errors.ts";
import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";
import type { Models } from "../../engine/node/context.ts";
import { holding } from "../../engine/node/holding.ts";
import { sizeOf } from "../../engine/tensor/shape.ts";
import type { Comparison } from "../shared/contracts/data.ts";
import type { FaceEncoder } from "../shared/contracts/modules.ts";
import type { Affine } from "../shared/pictures/affine.ts";
import { arcfaceAlignment } from "./arcface-template.ts";
import { DLIB_CHIP, dlibAlignment } from "./dlib-template.ts";
import { openFaceOnnx } from "./face-onnx.ts";

/** How a user's encoder wants its crops, and how its vectors compare. Defaults: ArcFace. */
export interface OnnxEncoderOptions {
  /** Side of the crops; 0 = what the file says, or 112. */
  readonly size?: number;
  /** (x − mean)/std on colours of 0..255. */
  readonly mean?: number;
  readonly std?: number;
  readonly color?: "RGB" | "BGR";
  readonly template?: "arcface" | "dlib";
  readonly comparison?: "cosine" | "l2";
  readonly threshold?: number;
}

/**
 * A user's face encoder: one input [N, 3, S, S] or [N, S, S, 3], one output of N vectors (the first, when there are more).
 * Gradients flow through it like through any other module.
 * @throws AppError FACE_ONNX, FACE_ENCODER_OUTPUT, ONNX_*, MODEL_NOT_FOUND
 */
export async function loadOnnxEncoder(models: Models, file: string, options: OnnxEncoderOptions = {}): Promise<FaceEncoder> {
  const { size: asked = 0, mean = 127.5, std = 127.5, color = "RGB", template = "arcface" } = options;
  const module = await openFaceOnnx(models, file);
  const [, first, fixed, last] = module.inputShape;
  const nhwc = last === 3 && first !== 3;
  const size = asked > 0 ? asked : typeof fixed === "number" && fixed > 0 ? fixed : 112;
  const dim = sizeOf(module.outputShapes(nhwc ? [1, size, size, 3] : [1, 3, size, size])[0] ?? []);
  if (dim < 2) throw new AppError("FACE_ENCODER_OUTPUT", `${file} gives no vector`, { hint: "its first output must be the embedding" });
  const encoder: FaceEncoder = {
    id: `onnx-encoder-1:${module.fingerprint}:${JSON.stringify([size, mean, std, color, template])}`,
    size,
    dim,
    comparison: comparisonOf(options, dim),
    alignment: (face) => (template === "arcface" ? arcfaceAlignment(face, size) : resized(dlibAlignment(face), size / DLIB_CHIP)),
    build(b, crops) {
      const [n = 0] = crops.shape;
      const colours = b.div(b.sub(b.mul(color === "RGB" ? crops : bgr(b, crops), 255), mean), std);
      const [vectors] = Object.values(module.build(b, nhwc ? b.transpose(colours, [0, 2, 3, 1]) : colours));
      if (!vectors || sizeOf(vectors.shape) !== n * dim)
        throw new AppError("FACE_ENCODER_OUTPUT", `${file} gives [${vectors?.shape}] for ${n} crops, expected ${dim} numbers for each`);
      return b.reshape(vectors, [n, dim]);
    },
  };
  return holding(encoder, module);
}

function bgr(b: Builder, rgb: Value): Value {
  const channels = [2, 1, 0].map((c) => b.slice(rgb, 1, c, c + 1));
  return b.concat(channels, 1);
}

function comparisonOf({ comparison = "cosine", threshold = 0.35 }: OnnxEncoderOptions, dim: number): Comparison {
  return comparison === "cosine" ? { kind: "cosine", threshold } : { kind: "l2", threshold, mean: new Float32Array(dim) };
}

/** The same alignment in a crop `s` times as large. */
function resized([a, b, tx, c, d, ty]: Affine, s: number): Affine {
  return [a * s, b * s, tx * s, c * s, d * s, ty * s];
}
