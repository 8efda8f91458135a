// The reference interpreter: every row's float64 evaluation, node by node. Slow and plain; used for tests and folding.
import { AppError } from "../base/errors.ts";
import { reach } from "../ir/graph.ts";
import type { Graph, Value } from "../ir/value.ts";
import { toFloat32 } from "../tensor/convert.ts";
import { sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { RefTensor } from "./define-op.ts";
import { opRow } from "./table.ts";

/** A host tensor as reference numbers. int64 beyond 2^53 loses precision. */
export function toReference(t: Tensor): RefTensor {
  const packed = t.dtype === "float16" || t.dtype === "bfloat16" || t.dtype.startsWith("float8");
  const data = packed ? toFloat32(t) : t.data;
  const out = new Float64Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = Number(data[i]);
  return { shape: t.shape, data: out, dtype: t.dtype };
}

/**
 * Evaluates a graph in float64. `feeds` are inputs and weights by name; weights in host memory need no feed.
 * @throws AppError IR_FEED naming what is missing or has another shape
 */
export function interpret(graph: Graph, feeds: Readonly<Record<string, RefTensor>>): Record<string, RefTensor> {
  const known = new Map<number, RefTensor>();
  const { inputs, weights, constants, nodes } = reach(graph);
  for (const v of [...inputs, ...weights, ...constants]) known.set(v.id, leaf(v, feeds));
  for (const node of nodes) {
    const args = node.inputs.map((v) => (v ? (known.get(v.id) ?? null) : null));
    const results = opRow(node.op).reference(args, node.attrs);
    node.outputs.forEach((v, i) => {
      const r = results[i];
      if (r) known.set(v.id, { shape: r.shape, data: r.data, dtype: v.dtype });
    });
  }
  const out: Record<string, RefTensor> = {};
  for (const [name, v] of Object.entries(graph.outputs)) {
    const r = known.get(v.id);
    if (r) out[name] = r;
  }
  return out;
}

function leaf(v: Value, feeds: Readonly<Record<string, RefTensor>>): RefTensor {
  if (v.def.kind === "constant") return toReference(v.def.tensor);
  if (v.def.kind === "node") throw new AppError("IR_FEED", `value ${v.id} is not a leaf`);
  const fed = feeds[v.def.name];
  if (fed) {
    if (!sameShape(fed.shape, v.shape)) throw new AppError("IR_FEED", `${v.def.name} wants [${v.shape}], got [${fed.shape}]`);
    return { shape: fed.shape, data: fed.data, dtype: v.dtype };
  }
  if (v.def.kind === "weight" && v.def.source.kind === "host") return toReference(v.def.source.tensor);
  throw new AppError("IR_FEED", `${v.def.kind} ${v.def.name} was not fed`);
}
