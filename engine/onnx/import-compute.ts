// Arithmetic, reductions, activations and attention-era operators that need more than passing attributes on.
import type { Attrs, Value } from "../ir/value.ts";
import { normalizeAxis, sizeOf } from "../tensor/shape.ts";
import { einsum } from "./import-einsum.ts";
import type { Converter, ImportNode } from "./import-node.ts";

/** Sum, Max, Min, Mean take any number of operands. */
function variadic(op: "Add" | "Max" | "Min"): Converter {
  return (n) => {
    const [first, ...rest] = n.values();
    if (!first) throw n.error("ONNX_NODE", "no operands");
    return [rest.reduce((a, v) => n.b.one(op, [a, v]), first)];
  };
}

/** Opset 6 aligned the second operand with `axis` of the first, where `broadcast` was set. */
function aligned(n: ImportNode): [Value, Value] {
  const [a, c] = [n.value(0), n.value(1)];
  const axis = n.int("axis", a.shape.length - c.shape.length);
  n.ignore("broadcast", "consumed_inputs");
  if (n.opset >= 7 || axis + c.shape.length >= a.shape.length) return [a, c];
  return [a, n.b.reshape(c, [...c.shape, ...new Array<number>(a.shape.length - axis - c.shape.length).fill(1)])];
}

/** A slope per channel may come as [C]: it belongs to axis 1, not to the last. */
const prelu: Converter = (n) => {
  const [x, slope] = [n.value(0), n.value(1)];
  const [channels] = slope.shape;
  const perChannel = slope.shape.length === 1 && channels !== 1 && channels === x.shape[1] && (n.opset < 7 || channels !== x.shape.at(-1));
  return [n.b.one("PRelu", [x, perChannel ? n.b.reshape(slope, [channels ?? 1, ...x.shape.slice(2).map(() => 1)]) : slope])];
};

const gemm: Converter = (n) => {
  n.ignore("broadcast");
  const attrs = { alpha: n.float("alpha", 1), beta: n.float("beta", 1), transA: n.int("transA", 0), transB: n.int("transB", 0) };
  const bias = n.optional(2);
  return [n.b.one("Gemm", bias ? [n.value(0), n.value(1), bias] : [n.value(0), n.value(1)], attrs)];
};

const REDUCTIONS = [
  "ReduceSum",
  "ReduceMean",
  "ReduceMax",
  "ReduceMin",
  "ReduceProd",
  "ReduceL1",
  "ReduceL2",
  "ReduceSumSquare",
  "ReduceLogSumExp",
] as const;

function reduced(n: ImportNode, op: string): Value {
  const x = n.value(0);
  const axes = n.list("axes", 1) ?? [];
  const noop = n.int("noop_with_empty_axes", 0) !== 0;
  const keepdims = n.int("keepdims", 1);
  if (axes.length === 0 && noop) return x;
  return n.b.one(op, [x], { axes: axes.map((a) => normalizeAxis(a, x.shape.length)), keepdims });
}

/** Before opset 13 everything from the axis on was one flat axis, and the default was 1. */
function softmax(op: "Softmax" | "LogSoftmax"): Converter {
  return (n) => {
    const x = n.value(0);
    const axis = normalizeAxis(n.int("axis", n.opset < 13 ? 1 : -1), x.shape.length);
    if (n.opset >= 13 || axis === x.shape.length - 1) return [n.b.one(op, [x], { axis })];
    const flat = n.b.reshape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
    return [n.b.reshape(n.b.one(op, [flat], { axis: 1 }), x.shape)];
  };
}

const clip: Converter = (n) => {
  const [lo, hi] = [n.scalar("min", 1), n.scalar("max", 2)];
  // Old exporters wrote the float range for "no bound".
  const bound = (v: number | null) => (v === null || Math.abs(v) > 3.4e38 ? null : v);
  const attrs: Record<string, number> = {};
  const [min, max] = [bound(lo), bound(hi)];
  if (min !== null) attrs.min = min;
  if (max !== null) attrs.max = max;
  return [n.b.one("Clip", [n.value(0)], attrs)];
};

const pow: Converter = (n) => {
  const [x, p] = aligned(n);
  const exponent = p.dtype === x.dtype ? p : n.b.cast(p, x.dtype);
  return [n.b.pow(x, exponent)];
};

const gelu: Converter = (n) => [n.b.gelu(n.value(0), n.string("approximate", "none") === "tanh" ? "tanh" : "none")];

/** com.microsoft: Gelu by tanh with an optional bias. */
const fastGelu: Converter = (n) => {
  const bias = n.optional(1);
  return [n.b.gelu(bias ? n.b.add(n.value(0), bias) : n.value(0), "tanh")];
};

const fusedMatMul: Converter = (n) => {
  const last = (v: Value) => n.b.transpose(v, [...v.shape.keys()].slice(0, -2).concat([v.shape.length - 1, v.shape.length - 2]));
  if (n.int("transBatchA", 0) || n.int("transBatchB", 0)) throw n.error("ONNX_ATTRIBUTE", "transposed batches are not supported");
  const a = n.int("transA", 0) ? last(n.value(0)) : n.value(0);
  const b = n.int("transB", 0) ? last(n.value(1)) : n.value(1);
  const alpha = n.float("alpha", 1);
  const y = n.b.matmul(a, b);
  return [alpha === 1 ? y : n.b.mul(y, alpha)];
};

const multiHeadAttention: Converter = (n) => {
  const attrs: Attrs = { num_heads: n.int("num_heads", 1) };
  const scale = n.float("scale", 0);
  if (n.int("unidirectional", 0)) throw n.error("ONNX_ATTRIBUTE", "causal attention is not supported");
  n.ignore("mask_filter_value");
  if (n.node.inputs.slice(6).some((name) => name !== "")) throw n.error("ONNX_NODE", "a key and value cache is not supported");
  const inputs = Array.from({ length: Math.min(6, n.node.inputs.length) }, (_, i) => n.optional(i));
  return [n.b.one("MultiHeadAttention", inputs, scale > 0 ? { ...attrs, scale } : attrs)];
};

const rotaryEmbedding: Converter = (n) => {
  const attrs: Attrs = { interleaved: n.int("interleaved", 0) };
  if (n.node.domain !== "com.microsoft") throw n.error("ONNX_NODE", "only com.microsoft's form of it is supported");
  if (n.int("rotary_embedding_dim", 0) || n.int("is_packed_batching", 0) || n.float("scale", 1) !== 1)
    throw n.error("ONNX_ATTRIBUTE", "partial, packed and scaled rotations are not supported");
  n.ignore("num_heads");
  const x = n.value(0);
  const turned = (v: Value) => n.b.one("RotaryEmbedding", [v, n.value(1), n.value(2), n.value(3)], attrs);
  if (x.shape.length !== 4) return [turned(x)];
  const [batch = 1, heads = 1, tokens = 1, width = 1] = x.shape;
  const y = turned(n.b.reshape(n.b.transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * width]));
  return [n.b.transpose(n.b.reshape(y, [batch, tokens, heads, width]), [0, 2, 1, 3])];
};

const dropout: Converter = (n) => {
  n.ignore("ratio", "seed", "is_test");
  return [n.value(0)];
};

/** γ·(x > 0 ? x : α(eˣ − 1)). */
const selu: Converter = (n) => {
  const elu = n.b.one("Elu", [n.value(0)], { alpha: n.float("alpha", 1.6732632423543772) });
  return [n.b.mul(elu, n.float("gamma", 1.0507009873554805))];
};

/** max(0, x) + min(0, α(e^(x/α) − 1)) = α·Elu(x/α). */
const celu: Converter = (n) => {
  const alpha = n.float("alpha", 1);
  return [n.b.mul(n.b.one("Elu", [n.b.mul(n.value(0), 1 / alpha)], { alpha: 1 }), alpha)];
};

const swish: Converter = (n) => {
  const alpha = n.float("alpha", 1);
  const x = n.value(0);
  return [n.b.mul(x, n.b.sigmoid(alpha === 1 ? x : n.b.mul(x, alpha)))];
};

const mean: Converter = (n) => {
  const total = variadic("Add")(n)[0];
  if (!total) throw n.error("ONNX_NODE", "no operands");
  return [n.b.div(total, n.node.inputs.length)];
};

/** Converters by operator name. */
export const COMPUTE_CONVERTERS: ReadonlyMap<string, Converter> = new Map<string, Converter>([
  ...REDUCTIONS.map((op): [string, Converter] => [op, (n) => [reduced(n, op)]]),
  ...(["Add", "Sub", "Mul", "Div"] as const).map((op): [string, Converter] => [op, (n) => [n.b.one(op, aligned(n))]]),
  ["PRelu", prelu],
  ["Gemm", gemm],
  ["Einsum", einsum],
  ["ReduceLogSum", (n) => [n.b.log(reduced(n, "ReduceSum"))]],
  ["Sum", variadic("Add")],
  ["Max", variadic("Max")],
  ["Min", variadic("Min")],
  ["Mean", mean],
  ["Softmax", softmax("Softmax")],
  ["LogSoftmax", softmax("LogSoftmax")],
  ["Clip", clip],
  ["Pow", pow],
  ["Gelu", gelu],
  ["FastGelu", fastGelu],
  ["BiasGelu", (n) => [n.b.gelu(n.b.add(n.value(0), n.value(1)), "none")]],
  ["FusedMatMul", fusedMatMul],
  ["MultiHeadAttention", multiHeadAttention],
  ["RotaryEmbedding", rotaryEmbedding],
  ["Dropout", dropout],
  ["Selu", selu],
  ["Celu", celu],
  ["Swish", swish],
  ["Softsign", (n) => [n.b.div(n.value(0), n.b.add(n.b.abs(n.value(0)), 1))]],
  ["IsNaN", (n) => [n.b.one("Not", [n.b.one("Equal", [n.value(0), n.value(0)])])]],
]);
