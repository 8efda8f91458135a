// Gradients where the calculus has none: kinks, poles, ties, zeros, infinities, empty tensors. One table says for every op
// what is right; unless a row says otherwise it is what PyTorch gives in float64 for the same function.
import { describe, expect, it } from "vitest";
import { runOrt } from "../../test/oracle.ts";
import { vjp } from "../autodiff/grad.ts";
import type { Attrs } from "../ir/value.ts";
import { sizeOf } from "../tensor/shape.ts";
import { interpret } from "./interpret.ts";
import { newBuilder, OPS } from "./table.ts";

const INF = Infinity;
const NAN = Number.NaN;

interface Edge {
  readonly op: string;
  /** One list per float input; a nested list gives its shape. */
  readonly at: readonly (readonly number[])[];
  readonly shape?: readonly number[];
  readonly attrs?: Attrs;
  /** What flows in; default ones. */
  readonly dy?: readonly number[];
  /** The gradient of each input. */
  readonly gives: readonly (readonly number[])[];
  readonly why: string;
}

const edge = (op: string, at: Edge["at"], gives: Edge["gives"], why: string, more: Partial<Edge> = {}): Edge => ({
  op,
  at,
  gives,
  why,
  ...more,
});

const EDGES: readonly Edge[] = [
  edge("Pow", [[0], [0]], [[0], [0]], "x⁰ is constant in x; 0ᵖ is 0 on the right of p = 0"),
  edge(
    "Pow",
    [
      [0, 0, 0, 0],
      [1, 2, 0.5, -1],
    ],
    [
      [1, 0, INF, -INF],
      [0, 0, 0, -INF],
    ],
    "at zero: slope 1, flat, upright, pole",
  ),
  edge(
    "Pow",
    [
      [2, -2, INF],
      [0, 0, 0],
    ],
    [
      [0, 0, 0],
      [Math.LN2, NAN, INF],
    ],
    "x⁰ is constant; no power of a negative base has a slope in p",
  ),
  edge("Pow", [[-2], [3]], [[12], [NAN]], "a whole power of a negative base has a slope in x only"),
  edge("Pow", [[1], [INF]], [[INF], [0]], "1ᵖ is 1 for every p"),
  edge(
    "Div",
    [
      [1, 0],
      [0, 0],
    ],
    [
      [INF, INF],
      [-INF, NAN],
    ],
    "a pole; 0/0 is no number",
  ),
  edge("Log", [[0, -0, INF]], [[INF, -INF, 0]], "a pole"),
  edge("Sqrt", [[0, -1, INF]], [[INF, NAN, 0]], "upright at zero"),
  edge("Reciprocal", [[0, INF]], [[-INF, -0]], "a pole"),
  edge("Abs", [[0, -0]], [[0, 0]], "the middle of [−1, 1]"),
  edge(
    "Max",
    [
      [1, 0, 2],
      [1, -0, 1],
    ],
    [
      [0.5, 0.5, 1],
      [0.5, 0.5, 0],
    ],
    "equals share",
  ),
  edge(
    "Min",
    [
      [1, 0, 2],
      [1, -0, 1],
    ],
    [
      [0.5, 0.5, 0],
      [0.5, 0.5, 1],
    ],
    "equals share",
  ),
  edge(
    "Clip",
    [[-1, 1, -2, 2, -0.5]],
    [[1, 1, 0, 0, 1]],
    "the bounds belong to the inside (PyTorch 2.15: to the outside), so that a value on one can move back",
    {
      attrs: { min: -1, max: 1 },
    },
  ),
  edge("Clip", [[0, 1, 1.5, 3]], [[0, 0, 0, 0]], "bounds the wrong way round make a constant", { attrs: { min: 2, max: 1 } }),
  edge("Relu", [[0, -0, INF]], [[0, 0, 1]], "the left side"),
  edge("LeakyRelu", [[0, -0]], [[0.25, 0.25]], "the left side", { attrs: { alpha: 0.25 } }),
  edge("Elu", [[0, -1000, INF]], [[0.5, 0, 1]], "the left side", { attrs: { alpha: 0.5 } }),
  edge(
    "PRelu",
    [
      [0, -1, 1],
      [0.25, 0.25, 0.25],
    ],
    [
      [0.25, 0.25, 1],
      [0, -1, 0],
    ],
    "the left side",
  ),
  edge("HardSigmoid", [[-2.5, 2.5, 0]], [[0, 0, Math.fround(0.2)]], "flat at both ends", { attrs: { alpha: Math.fround(0.2), beta: 0.5 } }),
  edge("HardSwish", [[-3, 3, 0, INF]], [[0, 1, 0.5, 1]], "flat on the left, slope 1 on the right"),
  edge("Tanh", [[1000, -1000, INF, -INF]], [[0, 0, 0, 0]], "saturated"),
  edge("Sigmoid", [[1000, -1000, INF, -INF]], [[0, 0, 0, 0]], "saturated"),
  edge("Softplus", [[1000, -1000, INF, -INF]], [[1, 0, 1, 0]], "saturated"),
  edge("Erf", [[1000, -1000, INF, -INF]], [[0, 0, 0, 0]], "saturated"),
  edge("Atan", [[1e30, INF, -INF]], [[0, 0, 0]], "saturated (1e30² overflows in float32)"),
  edge("Mish", [[1000, -1000]], [[1, 0]], "saturated"),
  edge("Gelu", [[1000, -1000]], [[1, 0]], "saturated", { attrs: { approximate: "none" } }),
  edge("Gelu", [[1000, -1000]], [[1, 0]], "saturated", { attrs: { approximate: "tanh" } }),
  edge("QuickGelu", [[1000, -1000]], [[1, 0]], "saturated"),
  edge("Exp", [[-INF, INF]], [[0, INF]], "its own value"),
  edge("Sin", [[INF]], [[NAN]], "no value, no slope"),
  edge("Cos", [[INF]], [[NAN]], "no value, no slope"),
  edge("Softmax", [[-INF, 0, 0]], [[0, -0.25, 0.25]], "a masked entry takes nothing", { attrs: { axis: 0 }, dy: [1, 2, 3] }),
  edge("Softmax", [[-INF, -INF]], [[NAN, NAN]], "everything masked is no distribution", { attrs: { axis: 0 } }),
  edge("LogSoftmax", [[-INF, 0, 0]], [[0, -0.5, 0.5]], "a masked entry takes nothing", { attrs: { axis: 0 }, dy: [0, 0, 1] }),
  edge("ReduceLogSumExp", [[-INF, 0, 0]], [[0, 0.5, 0.5]], "a masked entry takes nothing", { attrs: { axes: [0], keepdims: 1 } }),
  edge("ReduceMax", [[1, 1, 0]], [[0.5, 0.5, 0]], "equals share", { attrs: { axes: [0], keepdims: 1 } }),
  edge("ReduceMin", [[1, 0, 0]], [[0, 0.5, 0.5]], "equals share", { attrs: { axes: [0], keepdims: 1 } }),
  edge("GlobalMaxPool", [[1, 1, 0]], [[0.5, 0.5, 0]], "equals share, as in ReduceMax (PyTorch: the first takes all)", { shape: [1, 1, 3] }),
  edge("MaxPool", [[1, 1, 2, 2]], [[1, 0, 1, 0]], "the first takes all", { shape: [1, 1, 4], attrs: { kernel_shape: [2], strides: [2] } }),
  edge("TopK", [[1, 1, 0]], [[1, 0, 0]], "the first takes all", { attrs: { k: [1], axis: 0 } }),
  edge("ReduceL1", [[0, 2]], [[0, 1]], "the middle of [−1, 1]", { attrs: { axes: [0], keepdims: 1 } }),
  edge("ReduceL2", [[0, 0]], [[0, 0]], "the subgradient of least norm", { attrs: { axes: [0], keepdims: 1 } }),
  edge("ReduceSumSquare", [[0]], [[0]], "flat", { attrs: { axes: [0], keepdims: 1 } }),
  edge("LpNormalization", [[0, 0]], [[0, 0]], "0 stays 0 by definition (PyTorch divides by 1e-12 and gives 1e12)", {
    attrs: { axis: 0, p: 2 },
  }),
  edge("LpNormalization", [[0, 0]], [[0, 0]], "0 stays 0 by definition", { attrs: { axis: 0, p: 1 } }),
  edge(
    "LayerNormalization",
    [
      [3, 3],
      [1, 1],
    ],
    [
      [0, 0],
      [0, 0],
    ],
    "a constant row leaves the ε",
    { attrs: { axis: -1, epsilon: 1e-5 }, shape: [2] },
  ),
  edge(
    "SimplifiedLayerNormalization",
    [
      [0, 0],
      [1, 1],
    ],
    [
      [8, 8],
      [0, 0],
    ],
    "a row of zeros leaves the ε",
    {
      attrs: { axis: -1, epsilon: 1 / 64 },
    },
  ),
  ...["ReduceSum", "ReduceMean", "ReduceL1", "ReduceL2", "ReduceSumSquare"].map((op) =>
    edge(op, [[]], [[]], "nothing has an empty gradient", { attrs: { axes: [0], keepdims: 1 } }),
  ),
];

/** Ops without such a point, and why. An op in neither list fails the test below. */
const of = (why: string, ...ops: string[]) => Object.fromEntries(ops.map((op) => [op, why]));
const SMOOTH: Readonly<Record<string, string>> = {
  ...of("linear", "Add", "Sub", "Neg", "Identity", "Cast", "Where", "CumSum", "Trilu", "AveragePool", "GlobalAveragePool", "Resize"),
  ...of("moves elements", "Reshape", "Flatten", "Unsqueeze", "Squeeze", "Transpose", "Expand", "Tile", "Concat", "Split", "Slice", "Pad"),
  ...of("moves elements; equal indices add up", "Gather", "GatherElements", "GatherND", "ScatterND", "ScatterElements"),
  ...of("products: an infinite factor times 0 is NaN, as in PyTorch", "Mul", "MatMul", "Gemm", "Conv", "ConvTranspose"),
  ...of("products with fixed numbers", "RotaryEmbedding", "DequantizeLinear"),
  ...of("ε keeps the root from zero, as in LayerNormalization above", "BatchNormalization", "InstanceNormalization", "GroupNormalization"),
  MultiHeadAttention: "products and a Softmax",
  GridSample: "has a kink where a point meets a pixel's centre: either side is right",
  Tan: "poles lie at no float",
};

function gradients({ op, at, shape, attrs = {}, dy }: Edge) {
  const b = newBuilder();
  const shapes = at.map((x, i) => (i === 0 && shape ? shape : [x.length]));
  const inputs = shapes.map((s, i) => b.input(`x${i}`, "float32", s));
  const [y] = b.op(op, inputs, attrs);
  if (!y) throw new Error(op);
  const flow = b.input("dy", "float32", y.shape);
  const feeds = Object.fromEntries([
    ...at.map((x, i) => [`x${i}`, { shape: shapes[i] ?? [], data: Float64Array.from(x) }] as const),
    ["dy", { shape: y.shape, data: dy ? Float64Array.from(dy) : new Float64Array(sizeOf(y.shape)).fill(1) }] as const,
  ]);
  return { graph: b.graph(Object.fromEntries(vjp(b, [y], [flow], inputs).map((g, i) => [`d${i}`, g]))), feeds };
}

/** Zeros of both signs are one. */
const plain = (xs: readonly number[]) => xs.map((x) => x + 0);

describe.each(EDGES.map((e) => ({ ...e, label: `${e.op}(${e.at.map((x) => `[${x}]`).join(", ")}): ${e.why}` })))("$label", (e) => {
  it("by the reference and in ONNX Runtime", async () => {
    const { graph, feeds } = gradients(e);
    for (const results of [interpret(graph, feeds), await runOrt(graph, feeds)])
      e.gives.forEach((expected, i) => {
        const got = plain(Array.from(results[`d${i}`]?.data ?? [NAN]));
        expect(got.map((x, k) => (Math.abs(x - (expected[k] ?? NAN)) < 1e-6 ? expected[k] : x)).map((x) => (x ?? 0) + 0)).toEqual(
          plain(expected),
        );
      });
  });
});

it("every op with a gradient is in one of the lists", () => {
  const rules = [...OPS.values()].filter((row) => typeof row.vjp === "function").map((row) => row.name);
  const said = new Set([...EDGES.map((e) => e.op), ...Object.keys(SMOOTH)]);
  expect(rules.filter((name) => !said.has(name))).toEqual([]);
});
