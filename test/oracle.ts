// The two truths graphs are tested against: ONNX Runtime for values, central differences in float64 for gradients.
import * as ort from "onnxruntime-node";
import { nameOf } from "../engine/ir/graph.ts";
import type { Graph } from "../engine/ir/value.ts";
import { emitOnnx, inputName, outputName } from "../engine/onnx/emit.ts";
import type { RefTensor } from "../engine/ops/define-op.ts";
import { interpret } from "../engine/ops/interpret.ts";
import { opRow } from "../engine/ops/table.ts";
import { viewAs } from "../engine/tensor/dtype.ts";

/** Runs a graph on the CPU with every optimisation; results as reference tensors with the runtime's own shapes. */
export async function runOrt(graph: Graph, feeds: Readonly<Record<string, RefTensor>>): Promise<Record<string, RefTensor>> {
  const { model, inputs } = emitOnnx(graph, opRow, { fed: new Set(Object.keys(feeds)) });
  const session = await ort.InferenceSession.create(model, { executionProviders: ["cpu"], logSeverityLevel: 3, intraOpNumThreads: 1 });
  try {
    const fed: Record<string, ort.Tensor> = {};
    for (const v of inputs) {
      const t = feeds[nameOf(v)];
      if (!t) throw new Error(`no feed for ${nameOf(v)}`);
      fed[inputName(nameOf(v))] = toOrt(t, v.dtype);
    }
    const results = await session.run(fed);
    const out: Record<string, RefTensor> = {};
    for (const name of Object.keys(graph.outputs)) {
      const r = results[outputName(name)];
      if (r) out[name] = { shape: r.dims, data: Float64Array.from(r.data as ArrayLike<number>, Number) };
    }
    return out;
  } finally {
    await session.release();
  }
}

function toOrt(t: RefTensor, dtype: string): ort.Tensor {
  const dims = [...t.shape];
  switch (dtype) {
    case "float32":
      return new ort.Tensor("float32", Float32Array.from(t.data), dims);
    case "float64":
      return new ort.Tensor("float64", t.data, dims);
    case "int64":
      return new ort.Tensor(
        "int64",
        BigInt64Array.from(t.data, (x) => BigInt(x)),
        dims,
      );
    case "int32":
      return new ort.Tensor("int32", Int32Array.from(t.data), dims);
    case "int8":
      return new ort.Tensor("int8", Int8Array.from(t.data), dims);
    case "uint8":
      return new ort.Tensor("uint8", Uint8Array.from(t.data), dims);
    case "bool":
      return new ort.Tensor("bool", viewAs("bool", Uint8Array.from(t.data).buffer, 0, t.data.length), dims);
    default:
      throw new Error(`the oracle does not feed ${dtype}`);
  }
}

/** max |a − b| over max(1, max |b|): one number for how far two tensors are apart; NaN counts as infinite. */
export function apartness(a: RefTensor | undefined, b: RefTensor | undefined): number {
  if (!a || !b || a.shape.join() !== b.shape.join()) return Infinity;
  let [worst, scale] = [0, 1];
  for (let i = 0; i < b.data.length; i++) {
    const [x, y] = [a.data[i] ?? Number.NaN, b.data[i] ?? Number.NaN];
    if (Number.isNaN(x) || Number.isNaN(y)) return Infinity;
    if (x !== y) worst = Math.max(worst, Math.abs(x - y));
    if (Number.isFinite(y)) scale = Math.max(scale, Math.abs(y));
  }
  return worst / scale;
}

/** d loss / d feed, one element at a time: (L(x+h) − L(x−h)) / 2h in float64. `loss` is a scalar output. */
export function centralDifferences(
  graph: Graph,
  loss: string,
  feeds: Readonly<Record<string, RefTensor>>,
  name: string,
  h = 1e-5,
): RefTensor {
  const x = feeds[name];
  if (!x) throw new Error(`no feed ${name}`);
  const at = (i: number, step: number): number => {
    const data = x.data.slice();
    data[i] = (data[i] ?? 0) + step;
    return interpret(graph, { ...feeds, [name]: { ...x, data } })[loss]?.data[0] ?? Number.NaN;
  };
  return { shape: x.shape, data: x.data.map((_, i) => (at(i, h) - at(i, -h)) / (2 * h)) };
}
