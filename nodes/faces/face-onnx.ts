import { AppError, toAppError } from "../../engine/base/errors.ts";
import type { Builder } from "../../engine/ir/builder.ts";
import { reach } from "../../engine/ir/graph.ts";
import type { Node, Value } from "../../engine/ir/value.ts";
import type { Models } from "../../engine/node/context.ts";
import { holding } from "../../engine/node/holding.ts";
import { importOnnx } from "../../engine/onnx/import.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import type { Shape } from "../../engine/tensor/shape.ts";

/** A user's network of one square picture input and float outputs, fed as [N, 3, S, S] whatever order the file wants. */
export interface FaceOnnx {
  readonly fingerprint: string;
  /** Side of the input where the file fixes it. */
  readonly fixedSize: number | undefined;
  /** What it takes and gives as declared, for messages: `input [1, 3, 112, 112], output fc1 [1, 512]`. */
  readonly summary: string;
  /** [N, 3, S, S] → float32 outputs by name, in the file's order. */
  build(b: Builder, x: Value): Readonly<Record<string, Value>>;
  /** Shapes of the outputs for n pictures of a size. @throws AppError ONNX_* when the network cannot take them */
  outputShapes(n: number, size: number): readonly Shape[];
  /**
   * What the file itself subtracts from its input first, as networks from MXNet do; undefined when it wants normalised colours. More
   * than 1 tells that it takes colours of 0..255.
   */
  ownMean(size: number): number | undefined;
}

/**
 * Opens an .onnx file of the model folder `faces`. A batch the file cannot take at once goes through it picture by picture. Where the
 * declared shape does not tell NCHW from NHWC, the order that the network can compute is taken.
 * @throws AppError FACE_ONNX when it has not one input of four dimensions; ONNX_* from the importer; MODEL_NOT_FOUND, MODEL_EXTERNAL
 */
export async function openFaceOnnx(models: Models, file: string): Promise<FaceOnnx> {
  const { bytes, path, fingerprint } = await models.bytes("faces", file);
  const plain = importOnnx(bytes, { path });
  const external = plain.externalFiles.length > 0 ? await models.findExternal("faces", file, plain.externalFiles) : undefined;
  const origin = { path, ...(external && { external: external.paths }) };
  const module = external ? importOnnx(bytes, origin) : plain;
  const listed = (ports: readonly { readonly name: string; readonly shape: readonly (number | string)[] }[]): string =>
    ports.map((p) => `${p.name} [${p.shape.map((d) => (d === "" || d === -1 ? "?" : d)).join(", ")}]`).join(", ") || "none";
  const [input, ...others] = module.inputs;
  if (!input || others.length > 0 || input.shape.length !== 4)
    throw new AppError("FACE_ONNX", `${file} must have one input of four dimensions, it has ${listed(module.inputs)}`, {
      hint: "a face network takes [N, 3, S, S] or [N, S, S, 3]",
    });
  const [batch, first, height, last] = input.shape;
  const shapeOf = (n: number, size: number, isNhwc: boolean): Shape => (isNhwc ? [n, size, size, 3] : [n, 3, size, size]);
  const shapesOf = (n: number, size: number, isNhwc: boolean): readonly Shape[] =>
    importOnnx(bytes, { ...origin, inputs: { [input.name]: shapeOf(batch === 1 ? 1 : n, size, isNhwc) } }).outputs.map((o) =>
      o.shape.map(Number),
    );
  const fixed = [height, last === 3 ? first : last].find((d) => typeof d === "number" && d > 3);
  const fixedSize = typeof fixed === "number" ? fixed : undefined;
  const isNhwc =
    first === 3 || last === 3
      ? last === 3 && first !== 3
      : !canTake(() => shapesOf(1, fixedSize ?? 128, false)) && canTake(() => shapesOf(1, fixedSize ?? 128, true));
  const once = (b: Builder, x: Value): Record<string, Value> => {
    const outputs = module.build(b, { [input.name]: b.cast(isNhwc ? b.transpose(x, [0, 2, 3, 1]) : x, input.dtype) });
    return Object.fromEntries(Object.entries(outputs).map(([name, v]) => [name, b.cast(v, "float32")]));
  };
  const build = (b: Builder, x: Value): Record<string, Value> => {
    const [n = 0] = x.shape;
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
    fingerprint: external ? `${fingerprint}:${external.identity}` : fingerprint,
    fixedSize,
    summary: `input ${listed([input])}, output ${listed(module.outputs)}`,
    build,
    outputShapes: (n, size) => shapesOf(n, size, isNhwc),
    ownMean(size) {
      const b = newBuilder();
      return meanIn(reach(b.graph(once(b, b.input("picture", "float32", [1, 3, size, size])))).nodes);
    },
  };
  return holding(opened, bytes);
}

function canTake(shapes: () => unknown): boolean {
  try {
    shapes();
    return true;
  } catch (error) {
    if (toAppError(error).code.startsWith("ONNX_")) return false;
    throw error;
  }
}

/** The number that is subtracted from the input before anything else. */
function meanIn(nodes: readonly Node[]): number | undefined {
  const isPicture = (v: Value | null | undefined): boolean => {
    if (v?.def.kind !== "node") return v?.def.kind === "input";
    return ["Cast", "Transpose", "Identity"].includes(v.def.node.op) && isPicture(v.def.node.inputs[0]);
  };
  for (const { op, inputs } of nodes) {
    const [a, c] = inputs;
    if (op !== "Sub" || !isPicture(a) || !c || c.def.kind === "node" || c.def.kind === "input") continue;
    const tensor = c.def.kind === "constant" ? c.def.tensor : c.def.source.kind === "host" ? c.def.source.tensor : undefined;
    if (tensor) return Number(tensor.data[0] ?? 0);
  }
  return undefined;
}
