import { AppError } from "../../engine/base/errors.ts";
import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";
import type { Models, WeightEntry } from "../../engine/node/context.ts";
import type { Shape } from "../../engine/tensor/shape.ts";
import { expectDType } from "../../engine/tensor/tensor.ts";

/** The parameters of one embedded face network. */
export interface FaceWeights {
  readonly fingerprint: string;
  /**
   * The parameter as float32 of the shape the network expects. Stored uint8, it is q·`<name>.scale` + `<name>.min`
   * (one number, or one per filter): constant for the runtime, which folds it when it loads the graph.
   * @throws AppError FACE_WEIGHTS when it is absent or of another shape.
   */
  value(b: Builder, name: string, shape: Shape): Value;
  /** The numbers of a float32 tensor. @throws AppError FACE_WEIGHTS */
  read(name: string, shape: Shape): Promise<Float32Array>;
}

/**
 * Opens a converted face network from the model folder `faces`.
 * @param model what the file must say it is (`model` in its metadata).
 * @throws AppError FACE_WEIGHTS when it is another model; MODEL_NOT_FOUND.
 */
export async function openFaceWeights(models: Models, file: string, model: string): Promise<FaceWeights> {
  const opened = await models.open("faces", file);
  const found = opened.metadata.model;
  if (found !== model)
    throw new AppError(
      "FACE_WEIGHTS",
      `${file} is ${found === undefined ? "not a face model of this program" : `"${found}"`}, not "${model}"`,
      {
        hint: "choose the embedded file, or an .onnx file",
      },
    );
  const entry = (name: string, shape: Shape): WeightEntry => {
    const e = opened.tensors.get(name);
    if (!e) throw new AppError("FACE_WEIGHTS", `${file} has no tensor ${name}`, { hint: "the file is damaged: restore it" });
    if (e.shape.join() !== shape.join() || (e.dtype !== "float32" && e.dtype !== "uint8"))
      throw new AppError("FACE_WEIGHTS", `${file}: ${name} is ${e.dtype} [${e.shape}], expected float32 or uint8 [${shape}]`);
    return e;
  };
  const weight = (b: Builder, e: WeightEntry): Value => b.weight(`${model}.${e.name}`, e.dtype, e.shape, e.source);
  return {
    fingerprint: opened.fingerprint,
    async read(name, shape) {
      entry(name, shape);
      return expectDType(await opened.read(name), "float32", `${name} of ${file}`);
    },
    value(b, name, shape) {
      const e = entry(name, shape);
      const stored = weight(b, e);
      if (e.dtype === "float32") return stored;
      const perFilter = opened.tensors.get(`${name}.scale`)?.shape.length !== 0;
      const steps = perFilter ? shape.map((d, axis) => (axis === 0 ? d : 1)) : [];
      const scaled = b.mul(b.cast(stored, "float32"), weight(b, entry(`${name}.scale`, steps)));
      return b.add(scaled, weight(b, entry(`${name}.min`, steps)));
    },
  };
}
