import { AppError } from "../../engine/base/errors.ts";
import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";
import type { Models } from "../../engine/node/context.ts";
import { holding } from "../../engine/node/holding.ts";
import { importOnnx } from "../../engine/onnx/import.ts";
import type { Shape } from "../../engine/tensor/shape.ts";

/** A user's network of one picture input and float outputs. */
export interface FaceOnnx {
  readonly fingerprint: string;
  /** Declared input: numbers where the file fixes a dimension. */
  readonly inputShape: readonly (number | string)[];
  /** [N, 3, S, S] (or [N, S, S, 3], as declared) → float32 outputs by name, in the file's order. */
  build(b: Builder, x: Value): Readonly<Record<string, Value>>;
  /** Shapes of the outputs for one shape of the input. */
  outputShapes(input: Shape): readonly Shape[];
}

/**
 * Opens an .onnx file of the model folder `faces`. A batch the file cannot take at once goes through it picture by picture.
 * @throws AppError FACE_ONNX when it has not one input of four dimensions, or keeps weights in other files; ONNX_* from the importer; MODEL_NOT_FOUND.
 */
export async function openFaceOnnx(models: Models, file: string): Promise<FaceOnnx> {
  const { bytes, path, fingerprint } = await models.bytes("faces", file);
  const module = importOnnx(bytes, { path });
  const [input, ...others] = module.inputs;
  if (!input || others.length > 0 || input.shape.length !== 4)
    throw new AppError(
      "FACE_ONNX",
      `${file} must have one input of four dimensions, it has ${module.inputs.map((i) => `${i.name} [${i.shape}]`).join(", ") || "none"}`,
      {
        hint: "a face network takes [N, 3, S, S] or [N, S, S, 3]",
      },
    );
  if (module.externalFiles.length > 0)
    throw new AppError("FACE_ONNX", `${file} keeps weights in other files`, { hint: "save it again as a single .onnx file" });
  const once = (b: Builder, x: Value): Record<string, Value> => {
    const outputs = module.build(b, { [input.name]: b.cast(x, input.dtype) });
    return Object.fromEntries(Object.entries(outputs).map(([name, v]) => [name, b.cast(v, "float32")]));
  };
  const build = (b: Builder, x: Value): Record<string, Value> => {
    const [n = 0] = x.shape;
    const [batch] = input.shape;
    if (batch !== 1 || n === 1) return once(b, x);
    const rows = Array.from({ length: n }, (_, i) => once(b, b.slice(x, 0, i, i + 1)));
    return Object.fromEntries(
      Object.keys(rows[0] ?? {}).map((name) => [
        name,
        b.concat(
          rows.flatMap((row) => row[name] ?? []),
          0,
        ),
      ]),
    );
  };
  const opened: FaceOnnx = {
    fingerprint,
    inputShape: input.shape,
    build,
    outputShapes: (shape) => importOnnx(bytes, { path, inputs: { [input.name]: shape } }).outputs.map((o) => o.shape.map(Number)),
  };
  return holding(opened, bytes);
}
