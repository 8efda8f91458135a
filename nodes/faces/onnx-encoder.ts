import { AppError, toAppError } from "../../engine/base/errors.ts";
import type { Models } from "../../engine/node/context.ts";
import { holding } from "../../engine/node/holding.ts";
import { type Shape, sizeOf } from "../../engine/tensor/shape.ts";
import type { Comparison } from "../shared/contracts/data.ts";
import type { FaceEncoder } from "../shared/contracts/modules.ts";
import type { Affine } from "../shared/pictures/affine.ts";
import { arcfaceAlignment } from "./arcface-template.ts";
import { bgr } from "./bgr.ts";
import { DLIB_CHIP, dlibAlignment } from "./dlib-template.ts";
import { type FaceOnnx, openFaceOnnx } from "./face-onnx.ts";

/** How a user's encoder wants its crops, and how its vectors compare. Defaults: what the file tells, else ArcFace. */
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
  /** Shorter vectors are refused: what gives four numbers is a box, not a face. */
  readonly minDim?: number;
  readonly warn?: (message: string) => void;
}

/** No face encoder in use has fewer. */
export const MIN_DIM = 32;

/** OpenCV Zoo's SFace: 128 numbers, colours of 0..255 that the file itself normalises; the same person above this cosine. */
const SFACE = { dim: 128, size: 112, threshold: 0.363 };

/**
 * A user's face encoder: one input [N, 3, S, S] or [N, S, S, 3], one output of N vectors (the first, when there are more). A file that
 * subtracts a mean itself gets colours as it wants them, unless `mean` or `std` is given. Gradients flow through it like through any other module.
 * @throws AppError FACE_ONNX, FACE_ENCODER_OUTPUT, ONNX_*, MODEL_NOT_FOUND
 */
export async function loadOnnxEncoder(models: Models, file: string, options: OnnxEncoderOptions = {}): Promise<FaceEncoder> {
  const { size: asked = 0, color = "RGB", template = "arcface", minDim = MIN_DIM } = options;
  const module = await openFaceOnnx(models, file);
  const size = asked > 0 ? asked : (module.fixedSize ?? 112);
  const dim = vectorLength(module, file, size, minDim);
  const own = module.ownMean(size);
  const { mean = own === undefined ? 127.5 : 0, std = own === undefined ? 127.5 : own > 1 ? 1 : 255 } = options;
  if (own !== undefined && mean !== 0)
    options.warn?.(
      `${file} subtracts ${own} from its input itself; ${mean} is subtracted before that: set mean to 0 and std to ${own > 1 ? 1 : 255}`,
    );
  const isSFace = own !== undefined && dim === SFACE.dim && size === SFACE.size;
  const encoder: FaceEncoder = {
    id: `onnx-encoder-2:${module.fingerprint}:${JSON.stringify([size, mean, std, color, template])}`,
    size,
    dim,
    comparison: comparisonOf({ ...(isSFace && { threshold: SFACE.threshold }), ...options }, dim),
    alignment: (face) => (template === "arcface" ? arcfaceAlignment(face, size) : resized(dlibAlignment(face), size / DLIB_CHIP)),
    build(b, crops) {
      const [n = 0] = crops.shape;
      const colours = b.div(b.sub(b.mul(color === "RGB" ? crops : bgr(b, crops), 255), mean), std);
      const [vectors] = Object.values(module.build(b, colours));
      if (!vectors || sizeOf(vectors.shape) !== n * dim)
        throw new AppError("FACE_ENCODER_OUTPUT", `${file} gives [${vectors?.shape}] for ${n} crops, expected ${dim} numbers for each`);
      return b.reshape(vectors, [n, dim]);
    },
  };
  return holding(encoder, module);
}

/** Numbers of one face's vector: the first output must be [1, D], with ones about it or not. */
function vectorLength(module: FaceOnnx, file: string, size: number, least: number): number {
  const refuse = (found: string): AppError =>
    new AppError("FACE_ENCODER_OUTPUT", `${file} is no face encoder that is known: ${found}`, {
      hint: `expected one vector of at least ${least} numbers for each face, [N, D]; a face detector belongs into FaceDetectorLoader, and FaceEncoderOnnx takes shorter vectors with min_dim`,
    });
  let shapes: readonly Shape[];
  try {
    shapes = module.outputShapes(1, size);
  } catch (error) {
    const { code, message } = toAppError(error);
    if (!code.startsWith("ONNX_")) throw error;
    throw refuse(`${module.summary}; it cannot take crops of ${size} × ${size} pixels (${message})`);
  }
  const [first = []] = shapes;
  const dim = sizeOf(first);
  const isVector = first.length >= 1 && first.every((d, i) => d === 1 || (d === dim && (i > 0 || first.length === 1)));
  if (!isVector) throw refuse(`for a crop of ${size} × ${size} pixels its first output is [${first.join(", ")}]`);
  if (dim < least) throw refuse(`its vector has ${dim} ${dim === 1 ? "number" : "numbers"} ([${first.join(", ")}])`);
  return dim;
}

function comparisonOf({ comparison = "cosine", threshold = 0.35 }: OnnxEncoderOptions, dim: number): Comparison {
  return comparison === "cosine" ? { kind: "cosine", threshold } : { kind: "l2", threshold, mean: new Float32Array(dim) };
}

/** The same alignment in a crop `s` times as large. */
function resized([a, b, tx, c, d, ty]: Affine, s: number): Affine {
  return [a * s, b * s, tx * s, c * s, d * s, ty * s];
}
